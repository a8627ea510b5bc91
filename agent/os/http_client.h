/*
 * http_client: what os/http.c (clients), os/http_exchange.c (one request and its answer) and os/http_error.c (causes in words) share.
 *
 * Private to os/http*. An exchange waits for the client's addresses, then runs in a pool, then lies `over` until its timer delivers it: callbacks
 * come only from timers, never from inside libcurl or http_send(), so whoever gets one may free anything.
 */
#ifndef OS_HTTP_CLIENT_H
#define OS_HTTP_CLIENT_H

#include <curl/curl.h>

#include "os/dns.h"
#include "os/http.h"
#include "os/http_pool.h"
#include "os/origin.h"
#include "os/trust.h"
#include "os/verify.h"

struct http_client {
    struct loop *loop;
    struct origin origin, proxy;
    bool proxied, skip_verify, http1_only;
    char *proxy_url; /* may hold a password; wiped */
    char *server_name, *user_agent;
    int64_t timeout_ms, connect_ms;

    char *ca_cert, *ca_pem, *ca_path, *client_cert, *client_key;
    struct trust trust;
    struct verify verify;
    void (*on_note)(const char *text);
    char *told; /* the last note */
    void (*on_trust)(void *ctx, const struct err *err);
    void *ctx;

    struct dns_options names;
    char *resolv_conf, *hosts;
    struct dns_query *query;
    struct addresses addresses;
    int64_t resolved_at;

    struct http_pool *pool; /* where the next exchange goes; NULL for none yet */
    struct http_exchange *exchanges;
    bool close_when_idle;
    struct http_counts counts;
};

struct http_exchange {
    struct http_client *client;
    struct http_exchange *next, **link; /* in the client's list */
    struct loop_timer timer;            /* the deadline; once it is over: the delivery */
    http_done *done;
    void *ctx;
    void (*on_bytes)(void *ctx);
    struct loop_timer bytes; /* runs on_bytes outside of libcurl */

    char *method, *url;
    struct buf request; /* body, secret */
    bool has_body;
    struct curl_slist *headers, *resolve, *connect_to;
    size_t max_body, header_bytes;
    int64_t timeout_ms;
    unsigned sends, most_sends; /* how often the request went out, and may */

    struct http_pool *pool; /* while it runs */
    CURL *easy;
    char curl_text[CURL_ERROR_SIZE];

    bool over;
    struct http_res res;
    struct err err; /* of an exchange that failed; set early by callbacks that make libcurl stop */
};

/* NULL with `err` for requests that cannot be: control bytes, a path without "/". */
struct http_exchange *exchange_new(struct http_client *client, const struct http_req *req, struct err *err) MUST_USE;
void exchange_free(struct http_exchange *exchange);
/* Hand it to libcurl. Failures are delivered. */
void exchange_start(struct http_exchange *exchange, struct http_pool *pool);
/* Over: out of libcurl, answer or error kept, delivery in the next turn. */
void exchange_fail(struct http_exchange *exchange, const struct err *err);
void exchange_on_over(void *ctx, CURLcode code);
bool exchange_has_begun(const struct http_exchange *exchange);

/* Failed before any request was sent: the others that wait for the same connection would only try in vain one by one. */
void client_on_no_connection(struct http_client *client, const struct http_pool *pool, const struct err *err);
/* Through options.on_note. */
void client_tell(struct http_client *client, const char *note);
/* The next exchange takes a new connection. */
void client_drop_pool(struct http_client *client, struct http_pool *pool);

/* The cause of a failure in plain words, with "https://host:port: " in front. */
void http_error_explain(const struct http_exchange *exchange, CURLcode code, struct err *err);
int http_error_timeout(const struct http_exchange *exchange, struct err *err);
int http_error_names(const struct http_client *client, const struct err *cause, struct err *err);
bool http_error_is_connect(CURLcode code);
/* The connection broke. libcurl may count it on, and only where none is left are certificates read again: a refused one would stay for ever. */
bool http_error_is_loss(CURLcode code);

#endif
