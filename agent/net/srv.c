#include "net/srv.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define SERVICE "_http._tcp."

struct srv_query {
    struct loop_timer timer;
    struct dns_channel channel;
    struct resolv resolv;
    char name[RESOLV_NAME];
    size_t next; /* candidate */
    bool asking;
    struct dns_service found; /* no port: none */
    int64_t deadline;
    srv_done *done;
    void *ctx;
};

static void finish(struct srv_query *query)
{
    struct dns_service found = query->found;
    srv_done *done = query->done;
    void *ctx = query->ctx;

    srv_cancel(query);
    done(ctx, found.port ? &found : NULL);
}

static bool ask_next(struct srv_query *query)
{
    char full[RESOLV_NAME];

    do {
        if (!resolv_candidate(&query->resolv, query->name, query->next++, full))
            return false;
    } while (full[0] == '\0');
    query->asking = true;
    dns_channel_ask_service(&query->channel, full);
    return true;
}

/* c-ares may not be left from inside its callbacks: on_service() notes down, and here is what came of it. */
static void step(void *ctx)
{
    struct srv_query *query = ctx;
    int64_t due;

    while (!query->asking) {
        if (query->found.port || !ask_next(query)) {
            finish(query);
            return;
        }
    }
    if (clock_now() >= query->deadline) {
        finish(query);
        return;
    }
    due = dns_channel_due(&query->channel);
    timer_at(&query->timer, due < query->deadline ? due : query->deadline);
}

static void on_service(void *ctx, const struct dns_service *found)
{
    struct srv_query *query = ctx;

    query->asking = false;
    if (found)
        query->found = *found;
}

static void on_time(void *ctx)
{
    struct srv_query *query = ctx;

    dns_channel_process(&query->channel);
    step(query);
}

struct srv_query *srv_start(struct loop *loop, const struct dns_options *options, const char *name, srv_done *done, void *ctx,
                            struct err *err)
{
    struct srv_query *query = mem_alloc(sizeof(*query));

    query->channel = (struct dns_channel){.loop = loop, .on_turn = step, .on_service = on_service, .ctx = query};
    query->deadline = clock_now() + (options->deadline_ms ? options->deadline_ms : DNS_DEADLINE_MS);
    query->done = done;
    query->ctx = ctx;
    timer_init(&query->timer, loop, on_time, query);
    if (snprintf(query->name, sizeof(query->name), SERVICE "%s", name) >= (int)sizeof(query->name)) {
        err_set(err, ERR_INPUT, "the name is too long to ask for its SRV records");
        srv_cancel(query);
        return NULL;
    }
    if (dns_resolv_read(options, &query->resolv, err) != 0 ||
        dns_channel_open(&query->channel, &query->resolv, dns_resolv_conf(options), err) != 0) {
        srv_cancel(query);
        return NULL;
    }
    timer_at(&query->timer, clock_now());
    return query;
}

void srv_cancel(struct srv_query *query)
{
    if (!query)
        return;
    timer_stop(&query->timer);
    dns_channel_close(&query->channel);
    mem_free(query);
}
