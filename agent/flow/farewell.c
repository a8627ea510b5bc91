#include "flow/farewell.h"

#include "flow/logbook.h"

static void on_stopped(void *ctx)
{
    loop_stop(((struct farewell *)ctx)->loop);
}

void farewell_begin(struct farewell *farewell, const struct config *config)
{
    if (farewell->begun)
        return;
    farewell->begun = true;
    if (!config->revoke_on_exit || config->exit_after_auth || !auth_token(farewell->auth)) {
        loop_stop(farewell->loop);
        return;
    }
    logbook_revoking();
    fetch_stop(farewell->fetch);
    auth_stop(farewell->auth, true, FAREWELL_MS, on_stopped, farewell);
}
