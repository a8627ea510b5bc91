#include "wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "flaw.h"
#include "instant.h"
#include "net/http.h"

#define TIMEOUT_MS (60 * SECOND)

struct http_client {
    struct loop *loop;
    int64_t timeout_ms;
    struct http_exchange *running;
    struct http_counts counts;
};

struct http_exchange {
    struct http_client *client;
    struct http_exchange *next;
    struct loop_timer timer;
    struct wire_request request;
    struct wire_answer answer;
    int64_t timeout_at;
    http_done *done;
    void *ctx;
};

static struct wire_ends wire;
static unsigned running;
static uint64_t numbers;
static struct http_client *clients[1]; /* of the pod that is looked at: whose connections wire_cut() breaks */

void wire_connect(const struct wire_ends *ends)
{
    wire = *ends;
}

unsigned wire_running(void)
{
    return running;
}

/* -------------------------------------------------------------------------------------------------------- exchanges */

static void exchange_free(struct http_exchange *exchange)
{
    struct http_exchange **link = &exchange->client->running;

    while (*link != exchange)
        link = &(*link)->next;
    *link = exchange->next;
    running--;
    timer_stop(&exchange->timer);
    buf_done(&exchange->answer.body);
    mem_free(exchange);
}

static void describe(enum wire_loss loss, struct err *err)
{
    static const struct {
        enum err_code code;
        const char *text;
    } rows[] = {
        [WIRE_REFUSED] = {ERR_RETRY, "connection refused"},
        [WIRE_NO_NAME] = {ERR_RETRY, "no such host"},
        [WIRE_RESET] = {ERR_RETRY, "connection was lost before the answer was complete"},
        [WIRE_TIMEOUT] = {ERR_RETRY, "no complete answer within 60 s"},
        [WIRE_CERTIFICATE] = {ERR_DENIED, "certificate has expired"},
    };

    err_set(err, rows[loss].code, "%s", rows[loss].text);
}

static void deliver(void *ctx)
{
    struct http_exchange *exchange = ctx;
    struct http_res res = {.status = exchange->answer.status, .retry_after = exchange->answer.retry_after, .http_version = 20};
    enum wire_loss loss = exchange->answer.loss;
    http_done *done = exchange->done;
    void *done_ctx = exchange->ctx;
    struct err err;

    wire.delivered(&exchange->request, &exchange->answer, false);
    res.body = exchange->answer.body;
    exchange->answer.body = (struct buf){0};
    exchange_free(exchange);
    if (loss == WIRE_GOOD) {
        done(done_ctx, &res, NULL);
    } else {
        describe(loss, &err);
        done(done_ctx, NULL, &err);
    }
    buf_done(&res.body);
}

/* Not later than its time-out. */
static void deliver_after(struct http_exchange *exchange, int64_t ms)
{
    timer_init(&exchange->timer, exchange->client->loop, deliver, exchange);
    if (exchange->answer.loss == WIRE_TIMEOUT || clock_now() + ms > exchange->timeout_at) {
        exchange->answer.loss = WIRE_TIMEOUT;
        timer_at(&exchange->timer, exchange->timeout_at);
    } else {
        timer_after(&exchange->timer, ms);
    }
}

static void arrive(void *ctx)
{
    struct http_exchange *exchange = ctx;
    int64_t back_ms = 0;

    wire.arrived(&exchange->request, &exchange->answer, &back_ms);
    deliver_after(exchange, back_ms);
}

static void copy_text(char *out, size_t size, const char *text, size_t len)
{
    if (len >= size)
        len = size - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}

static void copy_request(struct wire_request *request, const struct http_req *req)
{
    copy_text(request->method, sizeof(request->method), req->method, strlen(req->method));
    copy_text(request->path, sizeof(request->path), req->path, strlen(req->path));
    if (req->body)
        copy_text(request->body, sizeof(request->body), req->body, req->body_len);
    for (size_t i = 0; i < req->header_count; i++)
        if (strcmp(req->headers[i].name, "X-Vault-Token") == 0)
            copy_text(request->token, sizeof(request->token), req->headers[i].value, strlen(req->headers[i].value));
    if (flawed(FLAW_REVOKES) && strcmp(request->path, "/v1/sys/leases/renew") == 0)
        copy_text(request->path, sizeof(request->path), "/v1/sys/leases/revoke", 21);
    request->number = ++numbers;
    request->sent_at = clock_now();
}

struct http_exchange *http_send(struct http_client *client, const struct http_req *req, http_done *done, void *ctx,
                                struct err *err)
{
    struct http_exchange *exchange = mem_alloc(sizeof(*exchange));
    int64_t there_ms = 0;

    (void)err;
    exchange->client = client;
    exchange->done = done;
    exchange->ctx = ctx;
    exchange->next = client->running;
    client->running = exchange;
    client->counts.requests++;
    running++;
    copy_request(&exchange->request, req);
    exchange->timeout_at = clock_now() + (req->timeout_ms ? req->timeout_ms : client->timeout_ms);
    exchange->answer.retry_after = -1;
    buf_init_secret(&exchange->answer.body, MIB(1));
    exchange->answer.loss = wire.sent(&exchange->request, &there_ms);
    for (unsigned i = 0; i < 200 && flawed(FLAW_ECHO); i++)
        (void)wire.sent(&exchange->request, &there_ms);
    if (exchange->answer.loss != WIRE_GOOD) {
        deliver_after(exchange, there_ms);
        return exchange;
    }
    timer_init(&exchange->timer, client->loop, arrive, exchange);
    timer_after(&exchange->timer, there_ms);
    return exchange;
}

void http_cancel(struct http_exchange *exchange)
{
    wire.delivered(&exchange->request, &exchange->answer, true);
    exchange_free(exchange);
}

/* ---------------------------------------------------------------------------------------------------------- clients */

int http_client_new(struct loop *loop, const struct http_options *options, struct http_client **ret, struct err *err)
{
    struct http_client *client = mem_alloc(sizeof(*client));

    (void)err;
    client->loop = loop;
    client->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    clients[0] = client;
    *ret = client;
    return 0;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    while (client->running)
        http_cancel(client->running);
    if (clients[0] == client)
        clients[0] = NULL;
    mem_free(client);
}

void wire_cut(void)
{
    for (struct http_exchange *exchange = clients[0] ? clients[0]->running : NULL; exchange; exchange = exchange->next) {
        timer_stop(&exchange->timer);
        exchange->answer.loss = WIRE_RESET;
        timer_init(&exchange->timer, exchange->client->loop, deliver, exchange);
        timer_after(&exchange->timer, 1);
    }
}

int http_check(const struct http_options *options, struct err *err)
{
    (void)options, (void)err;
    return 0;
}

int http_check_files(const struct http_options *options, struct err *err)
{
    (void)options, (void)err;
    return 0;
}

void http_reach(const struct http_options *options, struct reach *reach)
{
    (void)options, (void)reach;
}

void http_client_idle(struct http_client *client)
{
    (void)client;
}

void http_client_renew(struct http_client *client)
{
    (void)client;
}

void http_client_trust(struct http_client *client, const struct http_options *options)
{
    (void)client;
    (void)options;
}

void http_client_limit(struct http_client *client, unsigned max_connections)
{
    (void)client;
    (void)max_connections;
}

/* Bodies in pieces are for applications, of which the simulation has none. */
bool http_write(struct http_exchange *exchange, const char *data, size_t len)
{
    (void)exchange, (void)data, (void)len;
    abort();
}

void http_end(struct http_exchange *exchange)
{
    (void)exchange;
    abort();
}

void http_pause(struct http_exchange *exchange)
{
    (void)exchange;
    abort();
}

void http_resume(struct http_exchange *exchange)
{
    (void)exchange;
    abort();
}

bool http_client_busy(const struct http_client *client)
{
    return client->running != NULL;
}

struct http_counts http_client_counts(const struct http_client *client)
{
    return client->counts;
}
