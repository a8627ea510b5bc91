/*
 * fetch: keeps every wanted dep answered: reads, renews, reads again, each dep for itself.
 *
 * A dep is wanted as often as fetch_want() was called for it and fetch_release() was not. After both, fetch_settle(): what is new
 * is asked for, and what nobody wants any more is forgotten (its renewals stop, its secret is wiped); what has not changed costs
 * nothing. Nothing is asked before fetch_token(). Answers go
 * to the store, then on_change. All events come from the loop, never from inside a call. An error never removes an answer that is
 * already there.
 */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "fetch/fetch_events.h"
#include "fetch/health.h"
#include "fetch/store.h"
#include "os/loop.h"
#include "vault/client.h"
#include "vault/dep.h"
#include "vault/token.h"

struct fetch;

struct fetch *fetch_new(struct loop *loop, struct client *client, struct store *store, const struct fetch_options *options,
                        const struct fetch_events *events);
void fetch_free(struct fetch *fetch);

struct handover;

/* Answers of another process, good with the token that came with them: the first token of fetch_token() is that one. Owned by
 * fetch. */
void fetch_offer(struct fetch *fetch, struct handover *handover);
/* There is a (new) token: start, or read again what was bound to the token before and retry what failed. */
void fetch_token(struct fetch *fetch, const struct token *token);

int fetch_want(struct fetch *fetch, struct dep *dep, struct err *err)
    MUST_USE; /* takes its own reference; ERR_LIMIT at LIMIT_STORE_DEPS */
void fetch_release(struct fetch *fetch, const struct dep *dep);
void fetch_settle(struct fetch *fetch);

/* Other options: what is read again by them has its new time. */
void fetch_tune(struct fetch *fetch, const struct fetch_options *options);
/* Every wanted dep has an answer. */
bool fetch_complete(const struct fetch *fetch);
/* Ask now for everything that waits after a failure (within the budget). */
void fetch_hurry(struct fetch *fetch);
/* The server answers again: what failed for want of it is asked for now, once. Where only some paths are without a server, others
 * answer all the time, and each of their answers would be such news. */
void fetch_up(struct fetch *fetch);
/* A line for each wanted dep. */
void fetch_status(const struct fetch *fetch, struct buf *out);
/* The wanted deps that fail. */
void fetch_health(const struct fetch *fetch, struct health *health);
void fetch_stop(struct fetch *fetch); /* cancel everything; answers stay */

#endif
