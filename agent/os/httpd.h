/*
 * httpd: the house HTTP server: HTTP/1.1 over TCP, TLS or a unix socket on the loop; keep-alive; evhttp inside.
 *
 * The server owns its connections and their deadlines, which are absolute: a request must have arrived whole `request_ms` after
 * its first byte (evhttp's own time-outs start anew with every byte), an answer must be taken within `send_ms`, an idle
 * connection is closed after `idle_ms`. At `max_connections` it stops accepting until one ends. Bodies and headers past their
 * limits get 413 or 400 and the connection ends, as does one whose request leaves open where its body ends (two lengths, a length beside
 * chunks, an encoding that is not known). The methods LIST and SCAN of Vault's API are understood.
 */
#ifndef OS_HTTPD_H
#define OS_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "os/http.h"
#include "os/loop.h"
#include "os/tls.h"

struct httpd;

/*
 * Who owns what, until when:
 *
 *     struct httpd              whoever started it                until httpd_stop()
 *     connection                the server                        its peer's or its deadline's end, httpd_stop()
 *     request: all of httpd_req,
 *     headers, parameters       the handler, from on_request() on  httpd_reply(), which must come, once, whatever happens meanwhile:
 *                                                                 the peer goes away, the server stops. Then the answer is dropped.
 *     answer: httpd_res         its caller                        httpd_reply() returns: everything is copied
 *     strings of the options    their caller                      httpd_start() returns
 *
 * A request that is answered later counts for `max_held` until then. Its peer is not waited for: httpd_is_heard() says whether anybody still is.
 */

struct httpd_req {
    const char *method;
    const char *target; /* as sent: escaped path and query */
    const char *path;   /* decoded, without the query */
    const char *body;   /* not NUL-terminated */
    size_t body_len;
    const char *peer; /* address, "" for unix sockets */
};

struct httpd_res {
    int status;
    const char *type; /* Content-Type; NULL = application/json */
    const struct http_header *headers;
    size_t header_count;
    const char *body; /* copied; NULL for none */
    size_t body_len;
};

struct httpd_options {
    const char *listen;     /* see os/listen.h */
    struct tls_server *tls; /* borrowed; NULL = plain */
    size_t max_body;        /* 0 = LIMIT_REQUEST_BYTES */
    size_t max_connections; /* 0 = LIMIT_SERVER_CONNECTIONS */
    size_t max_held;        /* bytes of unfinished requests and of answers on their way, together; past it a large and old one goes; 0 = no maximum */
    bool make_room;         /* at the maximum, close the waiting connection that is nearest its deadline, and go on accepting */
    int64_t request_ms;     /* 0 = 10 s; also for the TLS handshake and the first byte */
    int64_t idle_ms;        /* 0 = 2 min */
    int64_t send_ms;        /* 0 = 30 s */
    void (*on_request)(void *ctx, struct httpd_req *req);
    void *ctx;
};

int httpd_start(struct loop *loop, const struct httpd_options *options, struct httpd **ret, struct err *err) MUST_USE;
/* Ends all connections. */
void httpd_stop(struct httpd *httpd);
/* Every answer from now on ends its connection ("Connection: close"); new ones are still accepted. */
void httpd_drain(struct httpd *httpd);
/* Accept no more, close idle connections, and tell once the last one has ended (inside a callback of it: not the place for httpd_stop()). */
void httpd_finish(struct httpd *httpd, void (*on_empty)(void *ctx), void *ctx);
/* "127.0.0.1:43210" (the chosen port), or "unix:///…". */
const char *httpd_address(const struct httpd *httpd);
size_t httpd_connections(const struct httpd *httpd);

/* NULL when the request has none. */
const char *httpd_header(struct httpd_req *req, const char *name);
/* A query parameter, decoded; NULL when it is not there. */
const char *httpd_param(struct httpd_req *req, const char *name);
/* Whether an answer would still be sent. */
bool httpd_is_heard(const struct httpd_req *req);
/* Answers and frees `req`. */
void httpd_reply(struct httpd_req *req, const struct httpd_res *res);

#endif
