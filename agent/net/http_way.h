/*
 * http_way: the way to one server: where it is, the proxy before it, the addresses last found, and whom a client believes there.
 *
 * Private to net/http*. TLS files are read at birth, which fails without them, and again when somebody says so: while the new
 * ones are not whole the old ones stay, and options.on_trust hears why.
 */
#ifndef NET_HTTP_WAY_H
#define NET_HTTP_WAY_H

#include <stdbool.h>
#include <stdint.h>

#include "net/dns.h"
#include "net/dns_channel.h"
#include "net/http_options.h"
#include "net/origin.h"
#include "os/reach.h"
#include "tls/trust.h"
#include "tls/verify.h"

struct http_way {
    struct origin origin, proxy;
    bool proxied, skip_verify, http1_only, services;
    struct dns_service service; /* where the origin is served; no port: at its own */
    char *proxy_url;            /* may hold a password; wiped */
    char *server_name, *user_agent;
    int64_t timeout_ms, connect_ms;

    char *ca_cert, *ca_pem, *ca_path, *client_cert, *client_key, *client_cert_pem;
    char *client_key_pem; /* wiped */
    struct trust trust;
    struct verify verify;
    void (*on_note)(const char *text);
    char *told; /* the last note */
    void (*on_trust)(void *ctx, const struct err *err);
    void *ctx;

    struct dns_options names;
    char *resolv_conf, *hosts;
    struct addresses addresses;
    int64_t resolved_at;
};

/* `way` is zeroed, and needs http_way_done() also after a failure. Origin and proxy alone: */
int http_way_find(struct http_way *way, const struct http_options *options, struct err *err) MUST_USE;
/* All of it. */
int http_way_init(struct http_way *way, const struct http_options *options, struct err *err) MUST_USE;
void http_way_done(struct http_way *way);
/* What it will open. */
void http_way_reach(const struct http_options *options, struct reach *reach);

/* Certificates are rotated under us: to be called before every new connection. */
void http_way_trust_again(struct http_way *way);
/* The same with other files. */
void http_way_trust_others(struct http_way *way, const struct http_options *options);
/* Through options.on_note. */
void http_way_tell(struct http_way *way, const char *note);

/* The host that a connection leads to: the proxy's or the server's. */
const char *http_way_host(const struct http_way *way);
/* Whether a connection needs no question to a name server; `connected`: there is one already. */
bool http_way_is_known(const struct http_way *way, bool connected);
/* Where a name server says that the host is served; NULL: at its own port. */
void http_way_move(struct http_way *way, const struct dns_service *service);
/* The port that belongs to http_way_host(). */
unsigned http_way_port(const struct http_way *way);
void http_way_learn(struct http_way *way, const struct addresses *found);

#endif
