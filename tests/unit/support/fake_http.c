/* Another body behind net/http.h: a test's own function answers, a few milliseconds later. */
#include <stdio.h>

#include "base/mem.h"
#include "net/http.h"

#define FAKE_HTTP_LATENCY_MS 5

struct fake_request {
    char method[16], path[512], token[128], namespace[128], wrap_ttl[16], bearer[128], body[16384];
    const char *address; /* of the client that sent it */
    const char *server_name;
};

struct fake_answer {
    int status; /* 0: no answer, ERR_RETRY */
    struct buf body;
    const char *location;
    int64_t retry_after; /* -1: none */
    int64_t latency_ms;
};

static char fake_http_trust[128]; /* what a client was told last: CA and certificate */
static void (*fake_http_serve)(const struct fake_request *request, struct fake_answer *answer);

struct http_client {
    struct loop *loop;
    char *address, *server_name;
    struct http_exchange *running;
    struct http_counts counts;
    unsigned idled, renewed;
};

struct http_exchange {
    struct http_client *client;
    struct http_exchange *next;
    struct loop_timer timer;
    http_done *done;
    void *ctx;
    struct fake_answer answer;
};

int http_client_new(struct loop *loop, const struct http_options *options, struct http_client **ret, struct err *err)
{
    struct http_client *client = mem_alloc(sizeof(*client));

    (void)err;
    client->loop = loop;
    client->address = mem_strdup(options->address);
    client->server_name = mem_strdup(options->server_name ? options->server_name : "");
    *ret = client;
    return 0;
}

static void exchange_free(struct http_exchange *exchange)
{
    struct http_exchange **link = &exchange->client->running;

    while (*link != exchange)
        link = &(*link)->next;
    *link = exchange->next;
    timer_stop(&exchange->timer);
    buf_done(&exchange->answer.body);
    mem_free(exchange);
}

void http_reach(const struct http_options *options, struct reach *reach)
{
    (void)options;
    (void)reach;
}

void http_client_free(struct http_client *client)
{
    while (client->running)
        exchange_free(client->running);
    mem_free(client->address);
    mem_free(client->server_name);
    mem_free(client);
}

static void copy_text(char *out, size_t size, const char *text, size_t len)
{
    assert_true(len < size);
    memcpy(out, text, len);
    out[len] = '\0';
}

static void deliver(void *ctx)
{
    struct http_exchange *exchange = ctx;
    struct http_res res = {.status = exchange->answer.status, .retry_after = exchange->answer.retry_after, .http_version = 20};
    http_done *done = exchange->done;
    void *done_ctx = exchange->ctx;
    struct err err;

    res.body = exchange->answer.body;
    exchange->answer.body = (struct buf){0};
    if (exchange->answer.location)
        copy_text(res.location, sizeof(res.location), exchange->answer.location, strlen(exchange->answer.location));
    exchange_free(exchange);
    if (res.status) {
        done(done_ctx, &res, NULL);
    } else {
        err_set(&err, ERR_RETRY, "connection refused");
        done(done_ctx, NULL, &err);
    }
    buf_done(&res.body);
}

struct http_exchange *http_send(struct http_client *client, const struct http_req *req, http_done *done, void *ctx,
                                struct err *err)
{
    struct http_exchange *exchange = mem_alloc(sizeof(*exchange));
    struct fake_request request = {.address = client->address, .server_name = client->server_name};

    (void)err;
    copy_text(request.method, sizeof(request.method), req->method, strlen(req->method));
    copy_text(request.path, sizeof(request.path), req->path, strlen(req->path));
    if (req->body)
        copy_text(request.body, sizeof(request.body), req->body, req->body_len);
    for (size_t i = 0; i < req->header_count; i++)
        if (strcmp(req->headers[i].name, "X-Vault-Token") == 0)
            copy_text(request.token, sizeof(request.token), req->headers[i].value, strlen(req->headers[i].value));
    for (size_t i = 0; i < req->header_count; i++)
        if (strcmp(req->headers[i].name, "X-Vault-Namespace") == 0)
            copy_text(request.namespace, sizeof(request.namespace), req->headers[i].value, strlen(req->headers[i].value));
    for (size_t i = 0; i < req->header_count; i++)
        if (strcmp(req->headers[i].name, "X-Vault-Wrap-TTL") == 0)
            copy_text(request.wrap_ttl, sizeof(request.wrap_ttl), req->headers[i].value, strlen(req->headers[i].value));
    for (size_t i = 0; i < req->header_count; i++)
        if (strcmp(req->headers[i].name, "Authorization") == 0)
            copy_text(request.bearer, sizeof(request.bearer), req->headers[i].value, strlen(req->headers[i].value));
    exchange->client = client;
    exchange->done = done;
    exchange->ctx = ctx;
    exchange->answer = (struct fake_answer){.retry_after = -1, .latency_ms = FAKE_HTTP_LATENCY_MS};
    buf_init_secret(&exchange->answer.body, MIB(1));
    exchange->next = client->running;
    client->running = exchange;
    client->counts.requests++;
    fake_http_serve(&request, &exchange->answer);
    timer_init(&exchange->timer, client->loop, deliver, exchange);
    timer_after(&exchange->timer, exchange->answer.latency_ms);
    return exchange;
}

void http_cancel(struct http_exchange *exchange)
{
    exchange_free(exchange);
}

void http_client_renew(struct http_client *client)
{
    client->renewed++;
}

void http_client_trust(struct http_client *client, const struct http_options *options)
{
    snprintf(fake_http_trust, sizeof(fake_http_trust), "%s %s", options->ca_cert ? options->ca_cert : "-",
             options->client_cert ? options->client_cert : "-");
    http_client_renew(client);
}

void http_client_limit(struct http_client *client, unsigned max_connections)
{
    (void)client, (void)max_connections;
}

void http_client_idle(struct http_client *client)
{
    client->idled++;
}

bool http_client_busy(const struct http_client *client)
{
    return client->running != NULL;
}

struct http_counts http_client_counts(const struct http_client *client)
{
    return client->counts;
}
