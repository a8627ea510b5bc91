/*
 * http_exchange: one request and its answer, from http_send() until its callback.
 *
 * Private to net/http*. An exchange waits for the client's addresses, then runs in a pool, then is over until its timer delivers
 * it: callbacks come only from timers, never from inside libcurl or http_send(), so whoever gets one may free anything. It stands
 * in the client's list until then.
 */
#ifndef NET_HTTP_EXCHANGE_H
#define NET_HTTP_EXCHANGE_H

#include "net/http_client.h"
#include "net/http_message.h"

struct http_exchange;

/* It waits. NULL with `err` for requests that cannot be. */
struct http_exchange *exchange_new(struct http_client *client, const struct http_req *req, http_done *done, void *ctx,
                                   struct err *err) MUST_USE;
void exchange_free(struct http_exchange *exchange); /* without its callback */
/* Hand it to libcurl. Failures are delivered. */
void exchange_start(struct http_exchange *exchange);
/* Those that wait, in the order they came: there are addresses, or there are none. */
void exchange_start_all(struct http_client *client);
void exchange_fail_all(struct http_client *client, const struct err *err);

/* See http_write(), http_end(), http_pause(). */
bool exchange_write(struct http_exchange *exchange, const char *data, size_t len);
void exchange_end(struct http_exchange *exchange);
void exchange_pause(struct http_exchange *exchange, bool paused);

#endif
