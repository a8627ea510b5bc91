#include "base/mem.h"
#include "os/discard.h"
#include "vault/login.h"

static const struct login_option options[] = {
    {"role_id_file_path", LOGIN_FILE, true, NULL, "file of the role id"},
    {"secret_id_file_path", LOGIN_FILE, false, NULL, "file of the secret id; none for roles without one", "remove_secret_id_file_after_reading"},
    {"remove_secret_id_file_after_reading", LOGIN_FLAG, false, "true", "remove the secret id's file once it is read"},
    {"secret_id_response_wrapping_path", LOGIN_LATER, false, NULL, "not supported yet"},
};

enum { ROLE_ID, SECRET_ID };

static int keep_secret_id(struct login *login, const char *path, struct err *err)
{
    if (login_keep_file(login, "secret_id_file_path", SECRET_ID, true, err) != 0)
        return -1;
    if (login_flag(login, "remove_secret_id_file_after_reading"))
        discard_file(path, false);
    return 0;
}

static int describe(struct login *login, struct login_request *request, struct err *err)
{
    const char *path = login_text(login, "secret_id_file_path");

    if (login_keep_file(login, "role_id_file_path", ROLE_ID, true, err) != 0)
        return -1;
    if (path && keep_secret_id(login, path, err) != 0)
        return -1;
    login_describe_put(login, request, "role_id", login->kept[ROLE_ID].data, "secret_id",
                       path ? login->kept[SECRET_ID].data : NULL, NULL);
    return 0;
}

const struct login_method login_approle = {"approle", options, ARRAY_LEN(options), describe};
