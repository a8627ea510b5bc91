/*
 * http_message: what a request and its answer are, told to a client and by it.
 */
#ifndef NET_HTTP_MESSAGE_H
#define NET_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct http_header {
    const char *name, *value;
};

struct http_head {
    int status, http_version;
    const struct http_header *headers; /* as they came, in order */
    size_t header_count;
};

#define HTTP_ANY_LENGTH UINT64_MAX

/*
 * Bodies in pieces. The callbacks get the ctx of http_send() and come from the loop, one a turn; each may end the exchange. Each
 * may be NULL.
 */
struct http_pieces {
    /* Status and headers are there: is the body wanted in pieces? If not, and without this callback, it comes with the answer. */
    bool (*on_head)(void *ctx, const struct http_head *head);
    void (*on_body)(void *ctx, const char *data, size_t len); /* at most LIMIT_STREAM_WINDOW_BYTES, valid during the call */
    void (*on_room)(void *ctx);                               /* after http_write() was false: write again */
    bool writes;                                              /* the request's body comes by http_write(), in place of `body` */
    uint64_t length;                                          /* of that body, or HTTP_ANY_LENGTH */
};

struct http_req {
    const char *method; /* "GET", "PUT", "LIST" … */
    const char *path;   /* begins with "/", already escaped, may carry "?query" */
    const struct http_header *headers;
    size_t header_count;
    const char *body; /* copied; NULL for none; wiped after sending */
    size_t body_len;
    size_t max_body;                  /* 0 = LIMIT_REPLY_BYTES */
    int64_t timeout_ms;               /* 0 = the client's */
    const struct http_pieces *pieces; /* copied; NULL: bodies go and come whole */
};

struct http_res {
    int status;
    struct buf body;     /* secret; valid during the callback only, or take it with buf_take() */
    int64_t retry_after; /* seconds from a Retry-After header (number or date), -1 without one */
    char location[2048]; /* Location header, "" without one */
    char challenge[512]; /* WWW-Authenticate header, "" without one or if it is longer */
    int64_t date;        /* server's Date header in ms since 1970, 0 without one */
    int http_version;    /* 11, 20 */
};

/*
 * Exactly one of `res` and `err` is given. ERR_RETRY: connect, TLS handshake cut, time-out, reset. ERR_DENIED: certificate or
 * name refused. ERR_LIMIT: body or headers too large. ERR_INPUT: answer is not HTTP. The exchange is over when the callback runs;
 * it may start others.
 */
typedef void http_done(void *ctx, struct http_res *res, const struct err *err);

#endif
