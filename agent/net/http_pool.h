/*
 * http_pool: one libcurl multi handle on the loop: its sockets and its timer are ours, its connections are shared by the
 * exchanges in it.
 *
 * Private to net/http*. A retired pool takes nothing new, and ends with its last exchange: so a time-out, or a batch's end,
 * closes connections. on_over() runs outside of libcurl's callbacks; it must take the handle out with pool_remove().
 */
#ifndef NET_HTTP_POOL_H
#define NET_HTTP_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include "base/err.h"
#include "os/loop.h"

struct pool_socket;

struct http_pool {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer timer;
    struct pool_socket *watched;
    size_t running; /* handles in the multi */
    size_t open;    /* sockets */
    bool retired, in_action;
    void (*on_over)(void *ctx, CURLcode code); /* ctx: the handle's CURLOPT_PRIVATE */
};

struct http_pool *pool_new(struct loop *loop, void (*on_over)(void *ctx, CURLcode code), struct err *err) MUST_USE;
void pool_free(struct http_pool *pool); /* NULL is accepted; no handle may be in it */
void pool_retire(struct http_pool *pool);
void pool_limit(struct http_pool *pool, unsigned connections); /* 0: the usual */
int pool_add(struct http_pool *pool, CURL *easy, struct err *err) MUST_USE;
void pool_remove(struct http_pool *pool, CURL *easy);

#endif
