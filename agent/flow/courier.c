#include "flow/courier.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/retry.h"
#include "net/http.h"

enum {
    NEAR_MS = 2000, /* metadata of this machine; where nothing listens, packets just vanish */
    FAR_MS = 10000,
    TRIES = 3,
};

/* Between tries; the login that waits for the answer has a longer back-off of its own. */
static const struct retry_policy between_tries = {.spread = RETRY_FROM_FIRST, .first_ms = 1000, .most_ms = 4000};

struct courier {
    struct loop *loop;
    struct loop_timer timer; /* the next try, or the delivery of an error */
    courier_done *done;
    void *ctx;
    struct ask ask; /* of the question under way; no method: none */
    struct retry retry;
    unsigned tries;
    struct http_client *client;
};

static void close_connection(struct courier *courier)
{
    if (courier->client)
        http_client_free(steal(courier->client));
}

/* The question is over before it is answered: the answer may bring the next. */
static void deliver(struct courier *courier, const struct told *told)
{
    timer_stop(&courier->timer);
    ask_done(&courier->ask);
    courier->done(courier->ctx, told);
}

static bool try_again(struct courier *courier, int status)
{
    bool later = status == 0 || status == 408 || status == 429 || status >= 500;

    if (!later || courier->ask.once || courier->tries == TRIES)
        return false;
    timer_after(&courier->timer, retry_next(&courier->retry, clock_now(), NULL));
    return true;
}

static void on_answer(void *ctx, struct http_res *res, const struct err *err)
{
    struct courier *courier = ctx;
    struct http_res answer = {0};
    struct err why = {0};
    struct told told;

    if (res) {
        answer = *res;
        res->body = (struct buf){0};
    } else {
        why = *err; /* the exchange's, which ends with its client */
    }
    close_connection(courier);
    told = (struct told){answer.status, {answer.body.data, answer.body.len}, answer.challenge, res ? NULL : &why};
    if (!try_again(courier, told.status))
        deliver(courier, &told);
    buf_done(&answer.body);
}

static int start(struct courier *courier, struct err *err)
{
    const struct ask *ask = &courier->ask;
    const struct http_options options = {.address = ask->origin,
                                         .ca_cert = ask->ca_file,
                                         .ca_pem = ask->ca_pem,
                                         .server_name = ask->tls_name,
                                         .direct = ask->near,
                                         .user_agent = "Ampule/" AMPULE_VERSION,
                                         .timeout_ms = ask->near ? NEAR_MS : FAR_MS,
                                         .http1_only = true};
    struct http_header headers[ASK_HEADERS];
    struct http_req req = {.method = ask->method, .path = ask->path.data, .headers = headers, .max_body = LIMIT_TOLD_BYTES};

    for (; req.header_count < ask->header_count; req.header_count++)
        headers[req.header_count] =
            (struct http_header){ask->headers[req.header_count].name, ask->headers[req.header_count].value.data};
    if (ask->has_body) {
        req.body = ask->body.data;
        req.body_len = ask->body.len;
    }
    if (http_client_new(courier->loop, &options, &courier->client, err) != 0)
        return -1;
    if (http_send(courier->client, &req, on_answer, courier, err))
        return 0;
    close_connection(courier);
    return -1;
}

static void on_time(void *ctx)
{
    struct courier *courier = ctx;
    struct err why = {0};
    const struct told told = {.challenge = "", .err = &why};

    courier->tries++;
    if (start(courier, &why) != 0)
        deliver(courier, &told);
}

struct courier *courier_new(struct loop *loop, courier_done *done, void *ctx)
{
    struct courier *courier = mem_alloc(sizeof(*courier));

    courier->loop = loop;
    courier->done = done;
    courier->ctx = ctx;
    timer_init(&courier->timer, loop, on_time, courier);
    return courier;
}

void courier_send(struct courier *courier, struct ask *ask)
{
    courier->ask = *ask;
    *ask = (struct ask){0};
    courier->tries = 0;
    retry_init(&courier->retry, &between_tries);
    timer_after(&courier->timer, 0);
}

void courier_cancel(struct courier *courier)
{
    timer_stop(&courier->timer);
    close_connection(courier);
    ask_done(&courier->ask);
}

void courier_free(struct courier *courier)
{
    if (!courier)
        return;
    courier_cancel(courier);
    mem_free(courier);
}

void courier_reach(struct reach *reach)
{
    /* Any address of theirs: authorities and the way to names are the same for all. */
    http_reach(&(struct http_options){.address = "https://localhost"}, reach);
    reach_any_port(reach);
}
