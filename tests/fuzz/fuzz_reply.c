/* floor: vault */
#include <stdint.h>
#include <stdlib.h>

#include "vault/mount.h"
#include "vault/secret.h"
#include "vault/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the status; the rest is the body of a server that means harm. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 204, 307, 400, 403, 404, 429, 503};
    static const struct refresh_options options = {0};
    struct token *token = NULL;
    struct secret *secret;
    struct reply reply;
    struct mount mount = {0};
    struct dep *dep;
    struct err err;

    if (size == 0 || dep_new(DEP_READ, STR("secret/app"), NULL, 0, NULL, &dep, &err) != 0)
        return 0;
    if (reply_parse(&reply, statuses[data[0] % 8], (const char *)data + 1, size - 1, "GET x", &err) == 0) {
        if (token_from_auth(&reply, data[0] & 1, 0, &token, &err) == 0)
            token_free(token);
        if (token_from_lookup(&reply, "t", 0, &token, &err) == 0)
            token_free(token);
        if (mount_parse(&reply, "ns", &mount, &err) == 0)
            mount_done(&mount);
    }
    secret = secret_take(dep, &reply, 0);
    if (secret_refresh(dep, secret, &options).at < 0)
        abort();
    secret_free(secret);
    reply_done(&reply);
    dep_unref(dep);
    return 0;
}
