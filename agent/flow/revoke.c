#include "flow/revoke.h"

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "flow/connect.h"
#include "os/file.h"
#include "os/loop.h"
#include "vault/client.h"

#define TRIES 3
#define PAUSE_MS 1000

struct revoke {
    struct loop *loop;
    struct client *client;
    struct loop_timer again;
    int tries;
    struct err err; /* ERR_NONE once the token is gone */
};

static int read_token(const struct config_vault *vault, const char *home, struct buf *ret, struct err *err)
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

static void on_answer(void *ctx, struct reply *reply, const struct err *err)
{
    struct revoke *revoke = ctx;

    (void)reply;
    revoke->err = err ? *err : (struct err){.code = ERR_NONE};
    if (revoke->err.code == ERR_RETRY && ++revoke->tries < TRIES)
        timer_after(&revoke->again, PAUSE_MS);
    else
        loop_stop(revoke->loop);
}

static void send_request(void *ctx)
{
    struct revoke *revoke = ctx;
    const struct request request = {.method = "PUT", .path = "auth/token/revoke-self", .urgent = true};

    client_send(revoke->client, &request, on_answer, revoke);
}

static int run(struct revoke *revoke, const struct config_vault *vault, const struct buf *token, struct err *err)
{
    if (connect_server(revoke->loop, vault, NULL, &revoke->client, err) != 0 || client_set_token(revoke->client, token->data, err) != 0)
        return -1;
    timer_init(&revoke->again, revoke->loop, send_request, revoke);
    send_request(revoke);
    if (loop_run(revoke->loop, err) != 0)
        return -1;
    if (revoke->err.code == ERR_NONE)
        return 0;
    *err = revoke->err;
    return -1;
}

int revoke_self(const struct config_vault *vault, const char *home, struct err *err)
{
    _cleanup_buf_ struct buf token = {0};
    struct revoke revoke = {0};
    int result;

    if (read_token(vault, home, &token, err) != 0)
        return -1;
    revoke.loop = loop_new(err);
    if (!revoke.loop)
        return -1;
    result = run(&revoke, vault, &token, err);
    client_free(revoke.client);
    loop_free(revoke.loop);
    return result;
}
