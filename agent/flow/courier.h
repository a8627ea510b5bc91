/*
 * courier: sends what a login asks of others than the Vault server: metadata services, token endpoints, STS.
 *
 * One question at a time, over a connection of its own that ends with the answer: such a service is asked a few times an hour.
 * Redirects are not followed. What says "later" (no connection, 429, 5xx) is asked three times, a second or two apart; the rest
 * is up to whoever asked. Answers come from the loop, never from inside a call.
 */
#ifndef FLOW_COURIER_H
#define FLOW_COURIER_H

#include "identity/ask.h"
#include "os/loop.h"
#include "os/reach.h"

struct courier;

/* `told` is borrowed for the call, which may ask again, or free the courier. */
typedef void courier_done(void *ctx, const struct told *told);

struct courier *courier_new(struct loop *loop, courier_done *done, void *ctx);
void courier_free(struct courier *courier); /* NULL is accepted; a running question ends unanswered */
/* `ask` is taken. None may be under way. */
void courier_send(struct courier *courier, struct ask *ask);
void courier_cancel(struct courier *courier);
/* What asking opens, whomever. */
void courier_reach(struct reach *reach);

#endif
