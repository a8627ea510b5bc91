#include "flow/own_token.h"

#include "base/limits.h"
#include "os/file.h"

int own_token(const struct config_vault *vault, const char *home, struct buf *ret, struct err *err)
{
    _cleanup_buf_ struct buf path = {0};

    buf_init_secret(ret, LIMIT_TOKEN_BYTES);
    if (*vault->token) {
        buf_adds(ret, vault->token);
        return buf_check(ret, "VAULT_TOKEN", err);
    }
    if (!home || !*home)
        return err_set(err, ERR_MISSING, "no token: neither VAULT_TOKEN nor HOME is set");
    buf_init(&path, LIMIT_PATH_BYTES);
    buf_addf(&path, "%s/.vault-token", home);
    if (buf_check(&path, "HOME", err) != 0 || file_read_token(path.data, ret, err) != 0)
        return err_wrap(err, "no token: VAULT_TOKEN is not set");
    return 0;
}
