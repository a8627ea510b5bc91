/*
 * proxy: which proxy a request goes through, by the rules of Go's net/http.
 *
 * HTTPS_PROXY for https, HTTP_PROXY for http (never in a CGI process), each in upper case before lower case; NO_PROXY names
 * exceptions:
 * "*", addresses, CIDR blocks, "example.com" (it and below), ".example.com" and "*.example.com" (only below), each with an
 * optional ":port". localhost and loopback addresses are never proxied. Source: golang.org/x/net/http/httpproxy. Pure but for
 * proxy_env_read(); the strings stay the environment's.
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include <stdbool.h>

struct proxy_env {
    const char *http, *https, *no; /* NULL when unset or empty */
};

struct proxy_env proxy_env_read(void);
/* The proxy's URL as written in the environment, or NULL to go directly. `host` has no brackets. */
const char *proxy_for(const struct proxy_env *env, bool https, const char *host, unsigned port);

#endif
