/* Logins with a name and a password out of a file: ldap, and userpass, which the originals' agent has not. */
#include <string.h>

#include "base/mem.h"
#include "os/discard.h"
#include "vault/escape.h"
#include "vault/login.h"

static const struct login_option options[] = {
    {"username", LOGIN_TEXT, true, NULL, "the name to log in with"},
    {"password_file_path", LOGIN_FILE, true, NULL, "file of the password", "remove_password_after_reading"},
    {"remove_password_after_reading", LOGIN_FLAG, false, "true", "remove the file once it is read"},
    {"remove_password_follows_symlinks", LOGIN_FLAG, false, "false", "remove what a symbolic link points to, not the link"},
    {"password_read_period", LOGIN_PERIOD, false, NULL,
     "how often to look for a new one, with enable_reauth_on_new_credentials: 500ms, or 1m where the file stays"},
};

static int next(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    const char *name = login_text(login, "username");

    (void)told;
    /* Sent as it is in the file, a newline at its end too: so does the original. */
    if (login_keep_file(login, "password_file_path", 0, false, err) != 0)
        return -1;
    login_credential(request, login->kept[0]);
    if (login_flag(login, "remove_password_after_reading"))
        discard_file(login_text(login, "password_file_path"), login_flag(login, "remove_password_follows_symlinks"));
    login_describe_put(login, request, "password", login->kept[0].data, NULL);
    buf_addc(&request->path, '/');
    escape_path(&request->path, name, strlen(name));
    return 0;
}

static int64_t look_ms(const struct login *login)
{
    return login_period(login, "password_read_period", login_flag(login, "remove_password_after_reading") ? 500 : 60000);
}

const struct login_method login_ldap = {"ldap", options, ARRAY_LEN(options), next, look_ms};
const struct login_method login_userpass = {"userpass", options, ARRAY_LEN(options), next, look_ms};
