/*
 * redirect: which other origins may see our requests, and the connections to them.
 *
 * A standby sends us to the active node. We follow to the same scheme only, and only to the host we were configured with (any
 * port) or, over verified TLS, to a host whose certificate carries the configured name: it is checked against that name, not
 * against its own. LIMIT_REDIRECT_HOSTS are kept; one more takes the place of the one that was not asked for longest.
 */
#ifndef VAULT_REDIRECT_H
#define VAULT_REDIRECT_H

#include "base/err.h"
#include "net/http.h"
#include "os/loop.h"
#include "os/reach.h"

struct redirect;

/* `home` is the connection to the configured origin, borrowed; the options' texts are copied. */
struct redirect *redirect_new(struct loop *loop, struct http_client *home, const struct http_options *options);
void redirect_free(struct redirect *redirect);

/* Where `location` leads: a connection and the path to ask there (inside `location`). ERR_DENIED says why not. */
int redirect_find(struct redirect *redirect, const char *location, struct http_client **ret, const char **ret_path,
                  struct err *err) MUST_USE;

/* What requests open at home and elsewhere: nobody knows the port before a redirect comes; over a unix socket none is followed.
 */
void redirect_reach(const struct redirect *redirect, struct reach *reach);

/* The same of http_client_trust(). */
void redirect_trust(struct redirect *redirect, const struct http_options *options);
/* The same of http_client_limit(). */
void redirect_limit(struct redirect *redirect, unsigned max_connections);
/* Close the idle connections to other hosts. */
void redirect_idle(struct redirect *redirect);
/* The same of http_client_renew(). */
void redirect_renew(struct redirect *redirect);

#endif
