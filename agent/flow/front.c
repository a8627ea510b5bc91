#include "flow/front.h"

#include "base/limits.h"
#include "base/mem.h"
#include "config/server_options.h"
#include "flow/logbook.h"

#define PATIENCE_MS ((int64_t)60 * 1000) /* as `ampule-agent probe` */

static const char *own_token(void *ctx)
{
    const struct token *token = auth_token(((struct front *)ctx)->auth);

    return token && *token->value ? token->value : NULL;
}

static int health(void *ctx, const char *purpose, struct err *err)
{
    const struct front *front = ctx;
    enum health_purpose wanted;
    struct health now;

    if (health_purpose(purpose, &wanted, err) != 0)
        return -1;
    progress_health(front->progress, &now);
    return health_judge(&now, wanted, PATIENCE_MS, err);
}

static void on_quit(void *ctx)
{
    struct front *front = ctx;

    front->on_quit(front->ctx);
}

int front_open(struct front *front, struct loop *loop, const struct config *config, struct err *err)
{
    const struct local_events events = {front, own_token, health, on_quit};
    struct http_options server = server_options(&config->vault);

    server.max_connections = LIMIT_RELAY_CONNECTIONS;
    if (!config->listener_count)
        return 0;
    if (local_new(loop, config, &server, &events, &front->local, err) != 0)
        return -1;
    for (size_t i = 0; i < local_count(front->local); i++)
        logbook_listening(&config->listeners[i], local_address(front->local, i));
    return 0;
}

void front_renew(const struct front *front)
{
    if (front->local)
        local_renew(front->local);
}

void front_close(struct front *front)
{
    local_free(steal(front->local));
}

void front_take(struct front *front, const struct config *config)
{
    struct err err;

    if (front->local && local_reload(front->local, config, &err) != 0)
        logbook_listener_not_reloaded(&err);
}

void front_reach(const struct front *front, struct reach *reach)
{
    if (front->local)
        local_reach(front->local, reach);
}
