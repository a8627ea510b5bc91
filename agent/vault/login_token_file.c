#include "base/mem.h"
#include "vault/login.h"

static const struct login_option options[] = {
    {"token_file_path", LOGIN_FILE, true, NULL, "file of a token that somebody else keeps"},
};

static int next(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    (void)told;
    if (login_keep_file(login, "token_file_path", 0, true, err) != 0)
        return -1;
    request->method = "GET";
    request->lookup = true;
    buf_adds(&request->path, "auth/token/lookup-self");
    buf_add(&request->token, login->kept[0].data, login->kept[0].len);
    return 0;
}

const struct login_method login_token_file = {"token_file", options, ARRAY_LEN(options), next};
