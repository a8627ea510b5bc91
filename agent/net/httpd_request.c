#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "net/httpd.h"
#include "net/httpd_conn.h"

static struct request *of(struct httpd_req *req)
{
    return (struct request *)req;
}

static struct evbuffer *output_of(const struct request *request)
{
    return bufferevent_get_output(request->conn->bev);
}

/* ---------------------------------------------------------------------------------------------------- birth and end */

struct request *request_new(struct conn *conn, struct httpd_head *head)
{
    char *path = target_path(head->target);
    struct request *request;

    if (!path) {
        httpd_head_done(head);
        return NULL;
    }
    request = mem_alloc(sizeof(*request));
    request->conn = conn;
    request->head = *head;
    request->path = path;
    snprintf(request->peer, sizeof(request->peer), "%s", conn->peer);
    request->req =
        (struct httpd_req){.method = head->method, .target = head->target, .path = path, .body = "", .peer = request->peer};
    request->mute = strcmp(head->method, "HEAD") == 0;
    return request;
}

void request_free(struct request *request)
{
    if (request->body)
        evbuffer_free(request->body);
    httpd_head_done(&request->head);
    mem_free(request->params.text);
    mem_free(request->path);
    mem_free(request);
}

void request_lose(struct request *request)
{
    request->conn = NULL;
    if (request->streams && request->pieces.on_gone)
        request->pieces.on_gone(request->pieces.ctx, &request->req);
}

/* ----------------------------------------------------------------------------------------------------- what it says */

const char *httpd_header(struct httpd_req *req, const char *name)
{
    return pairs_find(&of(req)->head.headers, name, true);
}

const struct pairs *httpd_headers(const struct httpd_req *req)
{
    return &((const struct request *)req)->head.headers;
}

const char *httpd_param(struct httpd_req *req, const char *name)
{
    struct request *request = of(req);

    if (!request->params.text)
        target_params(req->target, &request->params);
    return pairs_find(&request->params, name, false);
}

bool httpd_is_heard(const struct httpd_req *req)
{
    return ((const struct request *)req)->conn != NULL;
}

/* ---------------------------------------------------------------------------------------------------- whole answers */

/* The connection is free for the next request, or ends where this one has not been read to its end. */
static void request_done(struct request *request)
{
    struct conn *conn = request->conn;

    conn->unread |= conn->state == CONN_BODY;
    conn->last |= conn->unread;
    conn->request = NULL;
    conn_send(conn);
    request_free(request);
}

/* Says how the answer ends, and whether the connection ends with it. */
static void request_begin(struct request *request, const struct httpd_res *res, uint64_t length)
{
    struct conn *conn = request->conn;
    bool any = length == HTTPD_ANY_LENGTH && answer_has_body(res->status);

    request->started = true;
    request->mute |= !answer_has_body(res->status);
    request->chunked = any && !request->head.http10;
    request->left = length;
    conn->last |= !request->head.keep_alive || conn->httpd->draining || (any && request->head.http10 && !request->mute);
    answer_head(output_of(request), conn->httpd,
                &(struct answer){.res = res,
                                 .length = length,
                                 .chunked = request->chunked,
                                 .typed = res->type || res->body,
                                 .close = conn->last,
                                 .http10 = request->head.http10});
}

void httpd_reply(struct httpd_req *req, const struct httpd_res *res)
{
    struct request *request = of(req);

    if (!request->conn) {
        request_free(request);
        return;
    }
    /* Head and body in one piece: one TLS record and one system call instead of two. */
    if (res->body_len <= LIMIT_STREAM_WINDOW_BYTES && evbuffer_expand(output_of(request), res->body_len + KIB(1)) < 0)
        abort();
    request->conn->last |= request->conn->state == CONN_BODY;
    request_begin(request, res, res->body_len);
    if (!request->mute && res->body_len)
        evbuffer_add(output_of(request), res->body, res->body_len);
    request_done(request);
}

/* ----------------------------------------------------------------------------------------------------------- pieces */

void httpd_stream(struct httpd_req *req, const struct httpd_pieces *pieces)
{
    struct request *request = of(req);

    request->pieces = *pieces;
    request->streams = true;
    if (request->conn)
        conn_stream(request->conn);
}

void httpd_pause(struct httpd_req *req)
{
    struct request *request = of(req);

    request->paused = true;
    if (request->conn)
        conn_wait_anew(request->conn);
}

void httpd_resume(struct httpd_req *req)
{
    struct request *request = of(req);

    if (!request->paused)
        return;
    request->paused = false;
    if (request->conn)
        conn_read_on(request->conn);
}

void httpd_reply_start(struct httpd_req *req, const struct httpd_res *res, uint64_t length)
{
    struct request *request = of(req);

    if (!request->conn || request->started)
        return;
    if (!request->streams)
        httpd_stream(req, &(struct httpd_pieces){0});
    bufferevent_setwatermark(request->conn->bev, EV_WRITE, LIMIT_STREAM_WINDOW_BYTES / 2, 0);
    request_begin(request, res, length);
    conn_wait_anew(request->conn);
}

static void write_piece(struct request *request, const char *data, size_t len)
{
    struct evbuffer *out = output_of(request);

    if (request->chunked)
        evbuffer_add_printf(out, "%zx\r\n", len);
    evbuffer_add(out, data, len);
    if (request->chunked)
        evbuffer_add(out, "\r\n", 2);
}

bool httpd_reply_write(struct httpd_req *req, const char *data, size_t len)
{
    struct request *request = of(req);

    if (!request->conn)
        return true; /* nobody waits; on_gone() has said so */
    if (request->left != HTTPD_ANY_LENGTH) {
        len = len > request->left ? (size_t)request->left : len;
        request->left -= len;
    }
    if (len && !request->mute) /* an empty chunk would be the last */
        write_piece(request, data, len);
    request->starved = evbuffer_get_length(output_of(request)) >= LIMIT_STREAM_WINDOW_BYTES;
    conn_wait_anew(request->conn);
    return !request->starved;
}

void httpd_reply_end(struct httpd_req *req)
{
    struct request *request = of(req);

    if (!request->conn) {
        request_free(request);
        return;
    }
    if (!request->started || (request->left && request->left != HTTPD_ANY_LENGTH && !request->mute)) {
        httpd_reply_cut(req);
        return;
    }
    if (request->chunked && !request->mute)
        evbuffer_add(output_of(request), "0\r\n\r\n", 5);
    bufferevent_setwatermark(request->conn->bev, EV_WRITE, 0, 0);
    request_done(request);
}

void httpd_reply_cut(struct httpd_req *req)
{
    struct request *request = of(req);
    struct conn *conn = request->conn;

    if (conn) {
        conn->request = NULL;
        conn_end(conn);
    }
    request_free(request);
}
