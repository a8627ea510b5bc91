/*
 * dns: a host name becomes addresses, without blocking.
 *
 * Literals, /etc/hosts, then the nameservers of resolv.conf: A and AAAA in parallel for each full name that the search list
 * gives, one name after another. A server's failure (SERVFAIL, REFUSED, silence) moves on to the next name, as Go does. Files are
 * read anew for every query. A query belongs to its caller until its callback runs or dns_cancel(); the callback comes from the
 * loop, never from inside dns_start(). Errors: ERR_MISSING when every answer was "no such name", ERR_RETRY otherwise; the whole
 * search takes at most DNS_DEADLINE_MS.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "base/err.h"
#include "net/resolv.h"
#include "os/loop.h"
#include "os/reach.h"

enum { DNS_DEADLINE_MS = 5000 };

struct dns_query;

/* NULL for the machine's own files, 0 for DNS_DEADLINE_MS; tests bring theirs. */
struct dns_options {
    const char *resolv_conf, *hosts;
    int64_t deadline_ms;
};

/* Exactly one of `found` (IPv4 first, at least one) and `err` is given. */
typedef void dns_done(void *ctx, const struct addresses *found, const struct err *err);

struct dns_query *dns_start(struct loop *loop, const struct dns_options *options, const char *name, dns_done *done, void *ctx,
                            struct err *err) MUST_USE;
void dns_cancel(struct dns_query *query); /* NULL is accepted */

/* What resolv.conf says now, and which file that is. */
int dns_resolv_read(const struct dns_options *options, struct resolv *ret, struct err *err) MUST_USE;
const char *dns_resolv_conf(const struct dns_options *options);

/* What queries open: the files, and the port of name servers that answer by TCP. */
void dns_reach(const struct dns_options *options, struct reach *reach);

#endif
