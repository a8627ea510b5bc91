/*
 * server: the webhook's HTTPS: /mutate, /health/ready, /health/live and the metrics; and its end without a failed request.
 *
 * The certificate comes from outside (struct tls_server, borrowed) and may be exchanged at any time. Each review is answered
 * within its own turn of the loop: nothing is asked of anybody while a pod is admitted. server_drain(): readiness turns false and
 * answers end their connections at once, the listener stays for a grace period, then idle connections are closed and `on_drained`
 * runs when the last one is gone, or at the limit.
 */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include "inject/settings.h"
#include "net/httpd.h"
#include "serve/metrics.h"

struct server;

struct server_options {
    const struct settings *settings; /* borrowed, as are the next two */
    struct tls_server *tls;
    struct metrics *metrics;
    int64_t grace_ms;
    void (*on_drained)(void *ctx);
    void *ctx;
};

int server_start(struct loop *loop, const struct server_options *options, struct server **ret, struct err *err) MUST_USE;
void server_stop(struct server *server); /* NULL is accepted */
const char *server_address(const struct server *server);
void server_set_ready(struct server *server, bool ready);
/* A second call ends the grace period. */
void server_drain(struct server *server);

#endif
