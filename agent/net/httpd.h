/*
 * httpd: the house HTTP server: HTTP/1.1 over TCP, TLS or a unix socket on the loop; keep-alive; bodies whole or in pieces.
 *
 * The server owns its connections and their deadlines, which are absolute: a request must have arrived whole `request_ms` after
 * its first byte, an answer must be taken within `send_ms`, an idle connection is closed after `idle_ms`. What comes or goes in
 * pieces buys further time with its bytes. At `max_connections` it stops accepting until one ends. What is too slow, too large or
 * not clear is answered (400, 408, 413, 417, 431, 501, 505) and its connection ends. One request of a connection is answered
 * after another, however many were sent. The methods LIST and SCAN of Vault's API are understood.
 */
#ifndef NET_HTTPD_H
#define NET_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/http_message.h"
#include "net/httpd_message.h"
#include "net/target.h"
#include "os/loop.h"
#include "tls/tls.h"

struct httpd;

/*
 * Who owns what, until when:
 *
 *     struct httpd         whoever started it       httpd_stop(), which is not for callbacks of it
 *     connection           the server               its peer's end, its deadline's, or httpd_stop()
 *     request, with all    the server               on_request() is called, or on_head() has called httpd_stream()
 *     that httpd_req,        then the handler       httpd_reply(), _reply_end() or _reply_cut(), one of which must come, once,
 *     headers and                                   whatever happens meanwhile: the peer goes away, the server stops. What is
 *     parameters say                                answered then is dropped.
 *     piece of a body      the server               on_body() returns
 *     what is answered     its caller               the call returns: all is copied
 *     options, strings     their caller             httpd_start() returns
 *
 * A request that is answered later counts for `max_held` until then. Its peer is not waited for: httpd_is_heard() says whether
 * anybody still is, and on_gone() tells when nobody is any more. After on_gone() only the request's end is left to do; it may
 * come at once. A peer that has ended its half of the connection behind a whole request is still answered, without TLS, where
 * no on_gone() was given.
 *
 * In pieces: on_head() sees each request when its headers are there. If it calls httpd_stream(), its body goes to on_body() as
 * it comes, `max_body` does not hold, and on_end() follows the last piece. Between httpd_pause() and httpd_resume() nothing is
 * called and nothing is read, so that the peer has to wait; httpd_pause() is allowed inside on_head() and on_body(). The answer
 * may begin before the body has ended: httpd_reply_start(), any number of httpd_reply_write(), httpd_reply_end(). A write is
 * always taken; false says that LIMIT_STREAM_WINDOW_BYTES are waiting for the peer: write again when on_room() was called. Each
 * request holds no more memory than that, one piece more, and what the kernel keeps. If an answer cannot be made whole,
 * httpd_reply_cut() ends the connection so that the peer sees it. An answer that ends before its request has ends the connection.
 */

struct httpd_options {
    const char *listen;     /* see net/listen.h */
    struct tls_server *tls; /* borrowed; NULL = plain */
    size_t max_body;        /* 0 = LIMIT_REQUEST_BYTES */
    size_t max_connections; /* 0 = LIMIT_SERVER_CONNECTIONS */
    size_t max_held; /* bytes of unfinished requests and of answers on their way, together; past it a large and old one goes; 0 =
                        no maximum */
    bool make_room;  /* at the maximum, close the waiting connection that is nearest its deadline, and go on accepting */
    int64_t request_ms;                                /* 0 = 10 s; also for the TLS handshake and the first byte */
    int64_t idle_ms;                                   /* 0 = 2 min */
    int64_t send_ms;                                   /* 0 = 30 s */
    void (*on_head)(void *ctx, struct httpd_req *req); /* NULL: every body is wanted whole */
    void (*on_request)(void *ctx, struct httpd_req *req);
    void *ctx;
};

int httpd_start(struct loop *loop, const struct httpd_options *options, struct httpd **ret, struct err *err) MUST_USE;
/* Ends all connections. */
void httpd_stop(struct httpd *httpd);
/* Every answer from now on ends its connection ("Connection: close"); new ones are still accepted. */
void httpd_drain(struct httpd *httpd);
/* Accept no more, close idle connections, and tell once the last one has ended (inside a callback of it: not the place for
 * httpd_stop()). */
void httpd_finish(struct httpd *httpd, void (*on_empty)(void *ctx), void *ctx);
/* "127.0.0.1:43210" (the chosen port), or "unix:///…". */
const char *httpd_address(const struct httpd *httpd);
size_t httpd_connections(const struct httpd *httpd);

/* NULL when the request has none. */
const char *httpd_header(struct httpd_req *req, const char *name);
/* All of them, in order. */
const struct pairs *httpd_headers(const struct httpd_req *req);
/* A query parameter, decoded; NULL when it is not there. */
const char *httpd_param(struct httpd_req *req, const char *name);
/* Whether an answer would still be sent. */
bool httpd_is_heard(const struct httpd_req *req);
/* Answers and frees `req`. */
void httpd_reply(struct httpd_req *req, const struct httpd_res *res);

/* In on_head(): the request is the handler's from now on, its body comes in pieces. In on_request(), for the sake of on_room()
 * and on_gone(). */
void httpd_stream(struct httpd_req *req, const struct httpd_pieces *pieces);
void httpd_pause(struct httpd_req *req);
void httpd_resume(struct httpd_req *req);

/* Status and headers of an answer whose body (`length` bytes, or HTTPD_ANY_LENGTH) follows in pieces; `res->body` is not looked
 * at. */
void httpd_reply_start(struct httpd_req *req, const struct httpd_res *res, uint64_t length);
/* Whether there is room for more. What would exceed the length is dropped. */
bool httpd_reply_write(struct httpd_req *req, const char *data, size_t len);
/* Frees `req`. An answer shorter than it said is cut. */
void httpd_reply_end(struct httpd_req *req);
void httpd_reply_cut(struct httpd_req *req);

#endif
