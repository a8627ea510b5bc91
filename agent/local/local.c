#include "local/local.h"

#include <string.h>

#include "base/mem.h"
#include "local/gate.h"
#include "local/relay.h"
#include "net/http.h"

struct local {
    struct loop *loop;
    const struct config *config;
    struct local_events events;
    struct http_client *client;
    struct relay_way way;
    struct relays relays;
    struct gate **gates;
    size_t count, busy; /* how many there are, and of them still have clients while we finish */
    struct loop_timer end;
    void (*on_finished)(void *ctx);
    void *finished_ctx;
};

/* ---------------------------------------------------------------------------------------------------------- answers */

static void reply(struct httpd_req *req, int status, const char *body)
{
    httpd_reply(req, &(struct httpd_res){.status = status, .body = body, .body_len = body ? strlen(body) : 0});
}

/* ---------------------------------------------------------------------------------------------------------- our own */

static void on_health(struct local *local, const struct config_listener *listener, struct httpd_req *req)
{
    const char *purpose = httpd_param(req, "purpose");
    struct err err;

    (void)listener;
    if (local->events.health(local->events.ctx, purpose ? purpose : "readiness", &err) == 0)
        reply(req, 200, "{\"ready\":true}\n");
    else
        relay_refuse(req, err.code == ERR_INPUT ? 400 : 503, err.text);
}

static void on_quit(struct local *local, const struct config_listener *listener, struct httpd_req *req)
{
    (void)listener;
    reply(req, 200, NULL);
    local->events.quit(local->events.ctx);
}

static const struct route {
    const char *path, *method;
    void (*answer)(struct local *local, const struct config_listener *listener, struct httpd_req *req);
} routes[] = {
    {"/agent/v1/health", "GET", on_health},
    {"/agent/v1/quit", "POST", on_quit},
};

static bool is_open(const struct route *route, const struct config_listener *listener)
{
    return route->answer != on_quit || listener->enable_quit;
}

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    return NULL;
}

static bool has_request_header(struct httpd_req *req)
{
    const char *value = httpd_header(req, "X-Vault-Request");

    return value && strcmp(value, "true") == 0;
}

/* Whole: what is ours, and what is refused before anything of it is read. */
static void on_request(void *ctx, size_t gate, struct httpd_req *req)
{
    struct local *local = ctx;
    const struct config_listener *listener = gate_listener(local->gates[gate]);
    const struct route *route = find_route(req->path);

    if (listener->require_request_header && !has_request_header(req))
        relay_refuse(req, 412, "missing \"X-Vault-Request\" header");
    else if (!route || !is_open(route, listener))
        reply(req, 404, NULL);
    else if (strcmp(route->method, req->method) != 0)
        reply(req, 405, NULL);
    else
        route->answer(local, listener, req);
}

static void on_head(void *ctx, size_t gate, struct httpd_req *req)
{
    struct local *local = ctx;
    const struct config_listener *listener = gate_listener(local->gates[gate]);

    if (listener->metrics_only || find_route(req->path) || (listener->require_request_header && !has_request_header(req)))
        return;
    relay_begin(&local->way, &local->relays, req);
}

/* ---------------------------------------------------------------------------------------------------- birth and end */

/* "a/b/" before every client's, where it was asked for. */
static const char *namespace_of(const struct config *config)
{
    return config->proxy.prepend_namespace ? config->vault.namespace : "";
}

static int open_gates(struct local *local, struct err *err)
{
    const struct gate_events events = {local, on_head, on_request};
    const struct config *config = local->config;

    local->gates = mem_array(config->listener_count, sizeof(struct gate *));
    for (; local->count < config->listener_count; local->count++) {
        const struct config_listener *listener = &config->listeners[local->count];

        if (gate_open(local->loop, listener, local->count, &events, &local->gates[local->count], err) != 0)
            return -1;
    }
    return 0;
}

static void tell_finished(struct local *local)
{
    void (*on_finished)(void *ctx) = local->on_finished;

    timer_stop(&local->end);
    local->on_finished = NULL;
    if (on_finished)
        on_finished(local->finished_ctx);
}

static void on_end(void *ctx)
{
    tell_finished(ctx);
}

int local_new(struct loop *loop, const struct config *config, const struct http_options *server,
              const struct local_events *events, struct local **ret, struct err *err)
{
    struct local *local = mem_alloc(sizeof(*local));

    local->loop = loop;
    local->config = config;
    local->events = *events;
    timer_init(&local->end, loop, on_end, local);
    if (http_client_new(loop, server, &local->client, err) != 0 || open_gates(local, err) != 0) {
        local_free(local);
        return -1;
    }
    local->way = (struct relay_way){local->client, config_lends(config), namespace_of(config), events->token, events->ctx};
    *ret = local;
    return 0;
}

void local_free(struct local *local)
{
    if (!local)
        return;
    timer_stop(&local->end);
    relays_end(&local->relays);
    for (size_t i = 0; i < local->count; i++)
        gate_close(local->gates[i]);
    http_client_free(local->client);
    mem_free(local->gates);
    mem_free(local);
}

void local_renew(struct local *local)
{
    http_client_renew(local->client);
}

int local_reload(struct local *local, const struct config *config, struct err *err)
{
    int result = 0;

    local->config = config;
    local->way.namespace = namespace_of(config);
    for (size_t i = 0; i < local->count; i++) {
        struct err one;

        if (gate_reload(local->gates[i], &config->listeners[i], &one) == 0)
            continue;
        if (result == 0)
            *err = one;
        result = -1;
    }
    return result;
}

static void on_empty(void *ctx)
{
    struct local *local = ctx;

    if (--local->busy == 0)
        timer_after(&local->end, 0);
}

void local_finish(struct local *local, int64_t limit_ms, void (*on_finished)(void *ctx), void *ctx)
{
    local->on_finished = on_finished;
    local->finished_ctx = ctx;
    local->busy = local->count;
    timer_after(&local->end, limit_ms);
    for (size_t i = 0; i < local->count; i++)
        gate_finish(local->gates[i], on_empty, local);
}

void local_reach(const struct local *local, struct reach *reach)
{
    for (size_t i = 0; i < local->count; i++)
        gate_reach(local->gates[i], reach);
}

size_t local_count(const struct local *local)
{
    return local->count;
}

const char *local_address(const struct local *local, size_t i)
{
    return gate_address(local->gates[i]);
}
