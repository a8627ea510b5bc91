/*
 * http: one exchange is described, sent, and answered once.
 *
 * A client belongs to one origin (scheme, host, port or unix socket) with its TLS settings and proxy; its requests share
 * connections: HTTP/2 when the server offers it, else HTTP/1.1 connections, of which there are at most `max_connections`. Nothing
 * is retried and nothing is followed here: a redirect is an answer like any other, the caller decides. After a time-out the next
 * request takes a fresh connection. Bodies land once, in secret memory of at most `max_body` bytes, or come and go in pieces;
 * compressed bodies are refused. Errors name the host and the reason, never a header or body.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>

#include "base/err.h"
#include "net/http_message.h"
#include "net/http_options.h"
#include "os/loop.h"
#include "os/reach.h"

struct http_client;

struct http_exchange; /* a running one */

/* Whether http_client_new() would take this address and proxy, without a look at any file. */
int http_check(const struct http_options *options, struct err *err) MUST_USE;
/* Whether it would take the files, each of which must be there. */
int http_check_files(const struct http_options *options, struct err *err) MUST_USE;
/* Files named in the options are read now and errors name them. */
int http_client_new(struct loop *loop, const struct http_options *options, struct http_client **ret, struct err *err) MUST_USE;
/* What a client with these options opens: authorities, names, the port of the server or of the proxy before it. Unix sockets need
 * no rule. */
void http_reach(const struct http_options *options, struct reach *reach);
void http_client_free(struct http_client *client); /* running exchanges end without their callbacks */

/* Everything in `req` is copied. NULL with `err` when it cannot even start. */
struct http_exchange *http_send(struct http_client *client, const struct http_req *req, http_done *done, void *ctx,
                                struct err *err) MUST_USE;
/* End it without a callback. */
void http_cancel(struct http_exchange *exchange);

/*
 * In pieces (req.pieces). Who owns what, until when:
 *
 *     the exchange               its caller     http_cancel(), or its http_done runs; that comes behind the last piece, or
 * instead of what is missing head, piece of a body      the exchange   on_head(), on_body() return what is written            its
 * caller     http_write() returns: all is copied
 *
 * Between http_pause() and http_resume() there is no on_body(), and after a window full of bytes the server has to wait. A write
 * is always taken; false says that LIMIT_STREAM_WINDOW_BYTES wait for the server: write again when on_room() was called. More
 * than a piece of that size besides, more than `length`, and an end before it fail the exchange. One that was answered before its
 * request was sent takes the rest and forgets it. Each holds a window in each direction, a piece more, and what libcurl and the
 * kernel keep. `timeout_ms` starts anew with every piece, and does not run out while the caller is waited for; `max_body` holds
 * only for what is kept whole. A compressed body is handed on as it comes.
 */
bool http_write(struct http_exchange *exchange, const char *data, size_t len);
void http_end(struct http_exchange *exchange); /* the request's body is complete */
void http_pause(struct http_exchange *exchange);
void http_resume(struct http_exchange *exchange);

/* Close connections now, or as soon as the running exchanges have ended: what carried secrets does not linger. */
void http_client_idle(struct http_client *client);
/* What is sent from now on takes new connections; the old ones close with their last answer, and what HTTP/2 remembers of headers
 * goes with them. */
void http_client_renew(struct http_client *client);

/* Other TLS files of the same server: what is sent from now on takes new connections, by these. As long as they are not whole the
 * old ones hold, which options.on_trust hears. Of `options` nothing else is read. */
void http_client_trust(struct http_client *client, const struct http_options *options);

/* Another `max_connections`, which holds for what is opened from now on. */
void http_client_limit(struct http_client *client, unsigned max_connections);

/* Whether an exchange has not been answered yet. */
bool http_client_busy(const struct http_client *client);

/* What was used since the client began: for logs and tests. */
struct http_counts {
    unsigned long requests, connections;
};
struct http_counts http_client_counts(const struct http_client *client);

#endif
