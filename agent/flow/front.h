/*
 * front: the agent as applications see it: opens the listeners (local/), and answers for the stages what they are asked there.
 */
#ifndef FLOW_FRONT_H
#define FLOW_FRONT_H

#include "base/err.h"
#include "config/config.h"
#include "flow/auth.h"
#include "flow/progress.h"
#include "local/local.h"
#include "os/loop.h"

/* All borrowed, named before front_open(). */
struct front {
    const struct auth *auth;
    const struct progress *progress;
    void (*on_quit)(void *ctx);
    void *ctx;
    struct local *local; /* NULL: nothing listens */
};

/* Where the configuration has listeners. */
int front_open(struct front *front, struct loop *loop, const struct config *config, struct err *err) MUST_USE;
void front_close(struct front *front);
/* The token has become another one: what is remembered of the old one ends with its connections. */
void front_renew(const struct front *front);
/* Another configuration of the same listeners: the TLS files are read again. */
void front_take(struct front *front, const struct config *config);
void front_reach(const struct front *front, struct reach *reach);

#endif
