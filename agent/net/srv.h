/*
 * srv: which host and port serve a name: SRV records of "_http._tcp.NAME", as Go's net.LookupSRV asks for them (RFC 2782).
 *
 * Full names of the search list one after another, as in dns. Of the records with the lowest priority one is taken by chance, as
 * their weights say. A query belongs to its caller until its callback runs, from the loop and never from inside srv_start(), or
 * srv_cancel(). A record is no proof: whoever connects holds the server to the name that was asked for.
 */
#ifndef NET_SRV_H
#define NET_SRV_H

#include "net/dns.h"
#include "net/dns_channel.h"

struct srv_query;

/* NULL: there are none, or nobody answered in time. */
typedef void srv_done(void *ctx, const struct dns_service *found);

struct srv_query *srv_start(struct loop *loop, const struct dns_options *options, const char *name, srv_done *done, void *ctx,
                            struct err *err) MUST_USE;
void srv_cancel(struct srv_query *query); /* NULL is accepted */

#endif
