#include "base/mem.h"
#include "os/file.h"
#include "vault/login.h"

static const struct login_option options[] = {
    {"role", LOGIN_TEXT, true, NULL, "the role of the server's Kubernetes login"},
    {"token_path", LOGIN_FILE, false, "/var/run/secrets/kubernetes.io/serviceaccount/token",
     "file of the service account's token"},
};

/* The kubelet replaces the token long before it ends: nothing is kept, every login reads the file. */
static int next(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    _cleanup_buf_ struct buf jwt = {0};

    (void)told;
    if (file_read_token(login_text(login, "token_path"), &jwt, err) != 0)
        return err_wrap(err, "service account token");
    login_note_end(login, jwt.data);
    login_describe_put(login, request, "jwt", jwt.data, "role", login_text(login, "role"), NULL);
    return 0;
}

const struct login_method login_kubernetes = {"kubernetes", options, ARRAY_LEN(options), next};
