#include "base/mem.h"
#include "os/discard.h"
#include "vault/login.h"

static const struct login_option options[] = {
    {"path", LOGIN_FILE, true, NULL, "file of the JWT", "remove_jwt_after_reading"},
    {"role", LOGIN_TEXT, true, NULL, "the role of the server's JWT login"},
    {"remove_jwt_after_reading", LOGIN_FLAG, false, "true", "remove the file once it is read"},
    {"remove_jwt_follows_symlinks", LOGIN_FLAG, false, "false", "remove what a symbolic link points to, not the link"},
    {"jwt_read_period", LOGIN_PERIOD, false, NULL,
     "how often to look for a new one, with enable_reauth_on_new_credentials: 500ms, or 1m where the file stays"},
};

static int next(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    (void)told;
    /* Sent as it is in the file, white space too: so do the originals. */
    if (login_keep_file(login, "path", 0, false, err) != 0)
        return -1;
    login_note_end(login, login->kept[0].data);
    login_credential(request, login->kept[0]);
    if (login_flag(login, "remove_jwt_after_reading"))
        discard_file(login_text(login, "path"), login_flag(login, "remove_jwt_follows_symlinks"));
    login_describe_put(login, request, "jwt", login->kept[0].data, "role", login_text(login, "role"), NULL);
    return 0;
}

/* A file that is removed is looked for more often: while it is not there, a look is quick. */
static int64_t look_ms(const struct login *login)
{
    return login_period(login, "jwt_read_period", login_flag(login, "remove_jwt_after_reading") ? 500 : 60000);
}

const struct login_method login_jwt = {"jwt", options, ARRAY_LEN(options), next, look_ms};
