#include "local/relay.h"

#include <string.h>

#include "base/cursor.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "local/redact.h"
#include "local/relay_headers.h"

#define USER_AGENT "Ampule API Proxy/" AMPULE_VERSION

struct relay {
    struct relays *relays;
    struct relay *next, **place;
    struct httpd_req *req;
    struct http_exchange *exchange;
    char *token; /* the agent's own, where the answer may name it; wiped */
    bool writes; /* the request has a body */
    bool started;
};

/* ---------------------------------------------------------------------------------------------------- birth and end */

static struct relay *relay_new(struct relays *relays, struct httpd_req *req)
{
    struct relay *relay = mem_alloc(sizeof(*relay));

    relay->relays = relays;
    relay->req = req;
    relay->next = relays->first;
    relay->place = &relays->first;
    if (relay->next)
        relay->next->place = &relay->next;
    relays->first = relay;
    relays->count++;
    return relay;
}

static void relay_free(struct relay *relay)
{
    *relay->place = relay->next;
    if (relay->next)
        relay->next->place = relay->place;
    relay->relays->count--;
    mem_wipe_str(relay->token);
    mem_free(relay->token);
    mem_free(relay);
}

/* Without a whole answer. */
static void cut(struct relay *relay)
{
    if (relay->exchange)
        http_cancel(relay->exchange);
    httpd_reply_cut(relay->req);
    relay_free(relay);
}

void relays_end(struct relays *relays)
{
    while (relays->first)
        cut(relays->first);
}

void relay_refuse(struct httpd_req *req, int status, const char *text)
{
    _cleanup_buf_ struct buf body;

    buf_init_clipped(&body, LIMIT_PROBLEMS_BYTES);
    buf_adds(&body, "{\"errors\":[");
    json_write_str(&body, str_of(text), 0);
    buf_adds(&body, "]}\n");
    httpd_reply(req, &(struct httpd_res){.status = status, .body = body.data, .body_len = body.len});
}

static void fail(struct relay *relay, const struct err *err)
{
    if (relay->started)
        httpd_reply_cut(relay->req);
    else
        relay_refuse(relay->req, 500, err->text);
    relay_free(relay);
}

/* -------------------------------------------------------------------------------------------------- from the client */

static void on_body(void *ctx, struct httpd_req *req, const char *data, size_t len)
{
    struct relay *relay = ctx;

    if (!http_write(relay->exchange, data, len))
        httpd_pause(req);
}

static void on_end(void *ctx, struct httpd_req *req)
{
    struct relay *relay = ctx;

    (void)req;
    if (relay->writes)
        http_end(relay->exchange);
}

static void on_client_room(void *ctx, struct httpd_req *req)
{
    struct relay *relay = ctx;

    (void)req;
    if (relay->exchange)
        http_resume(relay->exchange);
}

static void on_gone(void *ctx, struct httpd_req *req)
{
    (void)req;
    cut(ctx);
}

/* -------------------------------------------------------------------------------------------------- from the server */

static uint64_t length_of(const struct http_head *head)
{
    const char *text = relay_headers_find(head->headers, head->header_count, "Content-Length");
    uint64_t length;

    return text && cursor_whole_uint(text, 10, HTTP_ANY_LENGTH - 1, &length) ? length : HTTP_ANY_LENGTH;
}

/* What may name the agent's token is looked at as a whole. */
static bool on_head(void *ctx, const struct http_head *head)
{
    struct relay *relay = ctx;
    _cleanup_relay_headers_ struct relay_headers headers = {0};
    struct httpd_res res;

    if (relay->token)
        return false;
    relay_headers_answer(head, &headers);
    res = (struct httpd_res){.status = head->status, .headers = headers.items, .header_count = headers.count};
    relay->started = true;
    httpd_reply_start(relay->req, &res, length_of(head));
    return true;
}

static void on_piece(void *ctx, const char *data, size_t len)
{
    struct relay *relay = ctx;

    if (!httpd_reply_write(relay->req, data, len))
        http_pause(relay->exchange);
}

static void on_server_room(void *ctx)
{
    struct relay *relay = ctx;

    httpd_resume(relay->req);
}

static void answer_redacted(struct relay *relay, struct http_res *res)
{
    _cleanup_buf_ struct buf body;
    struct err err;

    buf_init_secret(&body, LIMIT_REPLY_BYTES);
    if (res->body.len && redact_body(&res->body, relay->token, &body, &err) != 0) {
        fail(relay, &err);
        return;
    }
    httpd_reply(relay->req, &(struct httpd_res){.status = res->status, .body = body.data, .body_len = body.len});
    relay_free(relay);
}

static void on_done(void *ctx, struct http_res *res, const struct err *err)
{
    struct relay *relay = ctx;

    relay->exchange = NULL;
    if (err) {
        fail(relay, err);
    } else if (!relay->started) {
        answer_redacted(relay, res);
    } else {
        httpd_reply_end(relay->req);
        relay_free(relay);
    }
}

/* ------------------------------------------------------------------------------------------------------ the request */

static const char *token_for(const struct relay_way *way, struct httpd_req *req)
{
    const char *theirs = httpd_header(req, "X-Vault-Token");
    bool lent = way->lends == PROXY_TOKEN_FORCE || (way->lends == PROXY_TOKEN_SPARE && !(theirs && *theirs));

    return lent ? way->token(way->ctx) : theirs;
}

/* Whether a body comes, and how long it is. */
static bool has_body(struct httpd_req *req, uint64_t *ret_length)
{
    const char *length = httpd_header(req, "Content-Length");

    *ret_length = HTTP_ANY_LENGTH;
    if (length && cursor_whole_uint(length, 10, HTTP_ANY_LENGTH - 1, ret_length))
        return *ret_length > 0;
    return httpd_header(req, "Transfer-Encoding") != NULL;
}

static int send_on(const struct relay_way *way, struct relay *relay, struct err *err)
{
    struct httpd_req *req = relay->req;
    const struct relay_own own = {token_for(way, req), way->namespace, USER_AGENT};
    _cleanup_relay_headers_ struct relay_headers headers = {0};
    struct http_pieces pieces = {.on_head = on_head, .on_body = on_piece, .on_room = on_server_room};
    struct http_req out = {.method = req->method, .path = req->target, .pieces = &pieces};

    relay->writes = pieces.writes = has_body(req, &pieces.length);
    relay_headers_request(httpd_headers(req), &own, &headers);
    out.headers = headers.items;
    out.header_count = headers.count;
    relay->exchange = http_send(way->client, &out, on_done, relay, err);
    return relay->exchange ? 0 : -1;
}

void relay_begin(const struct relay_way *way, struct relays *relays, struct httpd_req *req)
{
    const char *own = way->lends == PROXY_TOKEN_CLIENT ? NULL : way->token(way->ctx);
    struct relay *relay = relay_new(relays, req);
    struct err err;

    if (own && redact_concerns(req->path))
        relay->token = mem_strdup(own);
    httpd_stream(req, &(struct httpd_pieces){on_body, on_end, on_client_room, on_gone, relay});
    if (send_on(way, relay, &err) != 0)
        fail(relay, &err);
}
