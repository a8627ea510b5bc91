#include "flow/revoke.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/retry.h"
#include "flow/connect.h"
#include "flow/own_token.h"
#include "os/loop.h"
#include "vault/client.h"

static const struct retry_policy revoking = {RETRY_ANYWHERE, .first_ms = 1000, .most_ms = 1000, .tries = 3};

struct revoke {
    struct loop *loop;
    struct client *client;
    struct loop_timer again;
    struct retry retry;
    struct err err; /* ERR_NONE once the token is gone */
};

static void on_answer(void *ctx, struct reply *reply, const struct err *err)
{
    struct revoke *revoke = ctx;
    int64_t wait;

    (void)reply;
    revoke->err = err ? *err : (struct err){.code = ERR_NONE};
    wait = revoke->err.code == ERR_RETRY ? retry_next(&revoke->retry, clock_now(), NULL) : -1;
    if (wait < 0 || retry_gave_up(&revoke->retry))
        loop_stop(revoke->loop);
    else
        timer_after(&revoke->again, wait);
}

static void send_request(void *ctx)
{
    struct revoke *revoke = ctx;
    const struct request request = {.method = "PUT", .path = "auth/token/revoke-self", .urgent = true};

    client_send(revoke->client, &request, on_answer, revoke);
}

static int run(struct revoke *revoke, const struct config_vault *vault, const struct buf *token, struct err *err)
{
    if (connect_server(revoke->loop, vault, NULL, &revoke->client, err) != 0 ||
        client_set_token(revoke->client, token->data, err) != 0)
        return -1;
    retry_init(&revoke->retry, &revoking);
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

    if (own_token(vault, home, &token, err) != 0)
        return -1;
    revoke.loop = loop_new(err);
    if (!revoke.loop)
        return -1;
    result = run(&revoke, vault, &token, err);
    client_free(revoke.client);
    loop_free(revoke.loop);
    return result;
}
