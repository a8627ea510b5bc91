#include "flow/farewell.h"

#include "flow/logbook.h"

static void on_stopped(void *ctx)
{
    loop_stop(((struct farewell *)ctx)->loop);
}

static void on_served(void *ctx)
{
    struct farewell *farewell = ctx;
    const struct config *config = farewell->config;

    if (!config->revoke_on_exit || config->exit_after_auth || !auth_token(farewell->auth)) {
        loop_stop(farewell->loop);
        return;
    }
    logbook_revoking();
    fetch_stop(farewell->fetch);
    auth_stop(farewell->auth, true, FAREWELL_MS, on_stopped, farewell);
}

void farewell_begin(struct farewell *farewell)
{
    if (farewell->begun)
        return;
    farewell->begun = true;
    if (farewell->local)
        local_finish(farewell->local, FAREWELL_MS, on_served, farewell);
    else
        on_served(farewell);
}
