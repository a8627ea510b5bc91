/*
 * http: one exchange is described, sent, and answered once.
 *
 * A client belongs to one origin (scheme, host, port or unix socket) with its TLS settings and proxy; its requests share connections: HTTP/2 when
 * the server offers it, else at most four HTTP/1.1 connections. Nothing is retried and nothing is followed here: a redirect is an answer like
 * any other, the caller decides. After a time-out the next request takes a fresh connection.
 * Bodies land once, in secret memory of at most `max_body` bytes; compressed bodies are refused. Errors name the host and the reason, never a header or body.
 */
#ifndef OS_HTTP_H
#define OS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "os/loop.h"
#include "os/reach.h"

struct http_client;

struct http_options {
    const char *address;     /* "https://host:port", "http://…", "unix:///path" (plain HTTP, Host localhost) */
    const char *ca_cert;     /* PEM bundle file, wins over ca_pem */
    const char *ca_pem;      /* the bundle itself, wins over ca_path */
    const char *ca_path;     /* any folder of PEM files, read whole; or a file */
    const char *client_cert, *client_key; /* PEM files; both or neither */
    const char *server_name; /* SNI and name check (os/verify) instead of the address's host */
    bool skip_verify;
    const char *proxy;    /* explicit proxy URL; NULL: Go's environment rules (HTTP(S)_PROXY, NO_PROXY, upper and lower case) */
    const char *user_agent;
    int64_t timeout_ms;   /* whole exchange; 0 = 60 s */
    int64_t connect_ms;   /* TCP and TLS; 0 = 10 s */
    /* The TLS files were read before a new connection: what is wrong with them (those read before stay in use), or NULL. */
    void (*on_trust)(void *ctx, const struct err *err);
    void *ctx;
    bool http1_only;
    /* What is no failure and still to be told: parts of a CA file that were left out. A line for the log; NULL to hear nothing. */
    void (*on_note)(const char *text);
    const char *resolv_conf, *hosts; /* tests; NULL: the machine's own */
};

struct http_header {
    const char *name, *value;
};

struct http_req {
    const char *method; /* "GET", "PUT", "LIST" … */
    const char *path;   /* begins with "/", already escaped, may carry "?query" */
    const struct http_header *headers;
    size_t header_count;
    const char *body; /* copied; NULL for none; wiped after sending */
    size_t body_len;
    size_t max_body;    /* 0 = LIMIT_REPLY_BYTES */
    int64_t timeout_ms; /* 0 = the client's */
    /* For answers that go on for ever: called, with the callback's ctx, each time that bytes of a 2xx answer came; its body is not kept. */
    void (*on_bytes)(void *ctx);
};

struct http_res {
    int status;
    struct buf body;      /* secret; valid during the callback only, or take it with buf_take() */
    int64_t retry_after;  /* seconds from a Retry-After header (number or date), -1 without one */
    char location[2048];  /* Location header, "" without one */
    int64_t date;         /* server's Date header in ms since 1970, 0 without one */
    int http_version;     /* 11, 20 */
};

/*
 * Exactly one of `res` and `err` is given. ERR_RETRY: connect, TLS handshake cut, time-out, reset. ERR_DENIED: certificate or name refused.
 * ERR_LIMIT: body or headers too large. ERR_INPUT: answer is not HTTP. The exchange is over when the callback runs; it may start others.
 */
typedef void http_done(void *ctx, struct http_res *res, const struct err *err);

struct http_exchange; /* a running one */

/* Whether http_client_new() would take this address and proxy, without a look at any file. */
int http_check(const struct http_options *options, struct err *err) MUST_USE;
/* Whether it would take the files, each of which must be there. */
int http_check_files(const struct http_options *options, struct err *err) MUST_USE;
/* Files named in the options are read now and errors name them. */
int http_client_new(struct loop *loop, const struct http_options *options, struct http_client **ret, struct err *err) MUST_USE;
/* What a client with these options opens: authorities, names, the port of the server or of the proxy before it. Unix sockets need no rule. */
void http_reach(const struct http_options *options, struct reach *reach);
void http_client_free(struct http_client *client); /* running exchanges end without their callbacks */

/* Everything in `req` is copied. NULL with `err` when it cannot even start. */
struct http_exchange *http_send(struct http_client *client, const struct http_req *req, http_done *done, void *ctx, struct err *err) MUST_USE;
/* End it without a callback. */
void http_cancel(struct http_exchange *exchange);
/* Close connections now, or as soon as the running exchanges have ended: what carried secrets does not linger. */
void http_client_idle(struct http_client *client);
/* What is sent from now on takes new connections; the old ones close with their last answer, and what HTTP/2 remembers of headers goes with them. */
void http_client_renew(struct http_client *client);

/* Whether an exchange has not been answered yet. */
bool http_client_busy(const struct http_client *client);

/* What was used since the client began: for logs and tests. */
struct http_counts {
    unsigned long requests, connections;
};
struct http_counts http_client_counts(const struct http_client *client);

#endif
