#include "tools/oidc_listener.h"

#include <string.h>

#include "base/limits.h"

enum { LAST_PAGE_MS = 2000, ROOM = 16 };

static void reply(struct httpd_req *req, int status, bool good, const char *text)
{
    static const struct http_header headers[] = {
        {"Cache-Control", "no-store"},
        {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"},
        {"Referrer-Policy", "no-referrer"},
        {"X-Content-Type-Options", "nosniff"},
    };
    _cleanup_buf_ struct buf page = {0};

    buf_init_clipped(&page, KIB(16));
    oidc_page(&page, good, text);
    httpd_reply(req, &(struct httpd_res){.status = status,
                                         .type = "text/html; charset=utf-8",
                                         .headers = headers,
                                         .header_count = ARRAY_LEN(headers),
                                         .body = page.data,
                                         .body_len = page.len});
}

static void on_request(void *ctx, struct httpd_req *req)
{
    struct oidc_listener *listener = ctx;
    const struct oidc_request request = {
        .method = req->method,
        .path = req->path,
        .target = req->target,
        .host = httpd_header(req, "Host"),
        .type = httpd_header(req, "Content-Type"),
        .body = req->body,
        .body_len = req->body_len,
    };
    struct oidc_callback callback = {0};
    struct err err;
    int status;

    err_clear(&err);
    status = oidc_callback_read(listener->rules, &request, &callback, &err);
    if (status != 200) {
        reply(req, status, false, err.text);
        return;
    }
    if (listener->taken) {
        oidc_callback_done(&callback);
        reply(req, 409, false, "This login was answered before.");
        return;
    }
    listener->taken = true;
    listener->callback = callback;
    listener->refused = err;
    listener->held = req;
    *listener->done = true;
    loop_stop(listener->talk->loop);
}

int oidc_listener_start(struct oidc_listener *listener, const char *address, struct err *err)
{
    const struct httpd_options options = {
        .listen = address,
        .max_body = LIMIT_TOKEN_BYTES,
        .max_connections = ROOM,
        .make_room = true, /* browsers open connections that they do not use */
        .on_request = on_request,
        .ctx = listener,
    };

    err_clear(&listener->refused);
    return httpd_start(listener->talk->loop, &options, &listener->httpd, err);
}

void oidc_listener_answer(struct oidc_listener *listener, bool good, const char *text)
{
    if (!listener->held)
        return;
    httpd_drain(listener->httpd);
    reply(steal(listener->held), good ? 200 : 400, good, text);
}

static void on_empty(void *ctx)
{
    struct oidc_listener *listener = ctx;

    listener->empty = true;
    loop_stop(listener->talk->loop);
}

static void on_late(void *ctx)
{
    on_empty(ctx);
}

/* The browser has its page, or does not take it. */
static void wait_until_empty(struct oidc_listener *listener)
{
    struct loop_timer timer;
    struct err err;

    timer_init(&timer, listener->talk->loop, on_late, listener);
    timer_after(&timer, LAST_PAGE_MS);
    httpd_finish(listener->httpd, on_empty, listener);
    if (talk_wait(listener->talk, &listener->empty, &err) != 0)
        listener->empty = true; /* Ctrl-C: nobody waits any longer */
    timer_stop(&timer);
}

void oidc_listener_stop(struct oidc_listener *listener)
{
    if (!listener->httpd)
        return;
    oidc_listener_answer(listener, false, "The login ended.");
    wait_until_empty(listener);
    httpd_stop(listener->httpd);
    oidc_callback_done(&listener->callback);
    listener->httpd = NULL;
}
