/*
 * http_client: a client's own: its way, the pool of connections that the next exchange takes, the exchanges that run.
 *
 * Private to net/http*, whose order is: http (the door) sees http_exchange, which sees http_client and what an exchange is made
 * of (http_handle, http_request, http_answer); nothing looks back.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "net/http_pool.h"
#include "net/http_way.h"
#include "net/srv.h"

struct http_client {
    struct loop *loop;
    struct http_way way;
    struct srv_query *service;       /* for the exchanges that wait for addresses: where they are, and then */
    struct dns_query *query;         /* which */
    struct http_pool *pool;          /* where the next exchange goes; NULL for none yet */
    struct http_exchange *exchanges; /* the newest first */
    bool close_when_idle;
    unsigned max_connections;            /* of a pool; 0: the usual */
    unsigned long requests, connections; /* since it began */
};

/* The pool for an exchange that begins now. TLS files are read anew when it has no connection; `ret_trusts` says so. */
struct http_pool *http_client_pool(struct http_client *client, bool *ret_trusts, void (*on_over)(void *ctx, CURLcode code),
                                   struct err *err) MUST_USE;
/* The next exchange takes a new connection. */
void http_client_drop_pool(struct http_client *client, struct http_pool *pool);
/* Close connections now, or when the last exchange in them has ended. */
void http_client_close_idle(struct http_client *client);

#endif
