/*
 * http_options: what a client is told of the server that it speaks to, and how it goes there. Strings are copied.
 */
#ifndef NET_HTTP_OPTIONS_H
#define NET_HTTP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct http_options {
    const char *address;                  /* "https://host:port", "http://…", "unix:///path" (plain HTTP, Host localhost) */
    const char *ca_cert;                  /* PEM bundle file, wins over ca_pem */
    const char *ca_pem;                   /* the bundle itself, wins over ca_path */
    const char *ca_path;                  /* any folder of PEM files, read whole; or a file */
    const char *client_cert, *client_key; /* PEM files; both or neither */
    const char *client_cert_pem, *client_key_pem; /* the texts themselves, where no file is named; the second is secret */
    const char *server_name;                      /* SNI and name check (tls/verify) instead of the address's host */
    bool skip_verify;
    const char *proxy; /* explicit proxy URL; NULL: Go's environment rules (HTTP(S)_PROXY, NO_PROXY, upper and lower case) */
    bool direct;       /* no proxy, whatever the environment says */
    const char *user_agent;
    int64_t timeout_ms;       /* whole exchange; 0 = 60 s */
    int64_t connect_ms;       /* TCP and TLS; 0 = 10 s */
    unsigned max_connections; /* at once, where each carries one exchange (HTTP/1.1); 0: four */
    /* The TLS files were read before a new connection: what is wrong with them (those read before stay in use), or NULL. */
    void (*on_trust)(void *ctx, const struct err *err);
    void *ctx;
    bool http1_only;
    bool services; /* SRV records say where a host without a port is served (net/srv); it is still held to its own name */
    /* What is no failure and still to be told: parts of a CA file that were left out. A line for the log; NULL to hear nothing.
     */
    void (*on_note)(const char *text);
    const char *resolv_conf, *hosts; /* tests; NULL: the machine's own */
};

#endif
