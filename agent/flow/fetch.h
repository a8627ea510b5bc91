/*
 * fetch: keeps every wanted dep answered: reads, renews, reads again, each dep for itself.
 *
 * The caller says what is wanted in rounds: fetch_begin(), fetch_want() for every dep of every template, fetch_end(); what was
 * not named in a round is forgotten (its renewals stop, its secret is wiped). Nothing is asked before fetch_token(). Answers go
 * to the store, then on_change. All events come from the loop, never from inside a call. An error never removes an answer that is
 * already there.
 */
#ifndef FLOW_FETCH_H
#define FLOW_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "flow/health.h"
#include "flow/ladder.h"
#include "flow/store.h"
#include "os/loop.h"
#include "vault/client.h"
#include "vault/dep.h"
#include "vault/token.h"

struct fetch;

struct fetch_options {
    struct ladder_options ladder;
    int64_t static_interval_ms;             /* 0: 5 min */
    double renewal_threshold;               /* 0: 0.90 */
};

/* A try that failed. */
struct fetch_failure {
    const struct dep *dep;
    const struct err *err;
    unsigned attempt;  /* counts from 1 */
    int64_t again_ms;  /* the next one comes by itself after this time */
    bool exhausted;    /* once: the originals would have given up here */
};

struct fetch_events {
    void *ctx;
    /* The store has a new answer for `dep` (every fetch that brought different data; renewals do not call). */
    void (*on_change)(void *ctx, const struct dep *dep);
    void (*on_error)(void *ctx, const struct fetch_failure *failure);
    /* An answer came after failures that lasted so long. */
    void (*on_recovery)(void *ctx, const struct dep *dep, int64_t after_ms);
    /* The server said 403: hand it to auth_suspect(). `worked`: with the same token it had not. */
    void (*on_suspect)(void *ctx, bool worked);
    void (*on_warning)(void *ctx, const char *text);
    void (*on_renewed)(void *ctx, const struct dep *dep); /* may be NULL */
};

struct fetch *fetch_new(struct loop *loop, struct client *client, struct store *store, const struct fetch_options *options,
                        const struct fetch_events *events);
void fetch_free(struct fetch *fetch);

struct handover;

/* Answers of another process, good with the token that came with them: the first token of fetch_token() is that one. Owned by fetch. */
void fetch_offer(struct fetch *fetch, struct handover *handover);
/* There is a (new) token: start, or read again what was bound to the token before and retry what failed. */
void fetch_token(struct fetch *fetch, const struct token *token);

void fetch_begin(struct fetch *fetch);
int fetch_want(struct fetch *fetch, struct dep *dep, struct err *err)
    MUST_USE; /* takes its own reference; ERR_LIMIT at LIMIT_STORE_DEPS */
void fetch_end(struct fetch *fetch);

/* Every wanted dep has an answer. */
bool fetch_complete(const struct fetch *fetch);
/* Ask for this dep again now (within the budget). */
void fetch_again(struct fetch *fetch, const struct dep *dep);
/* Ask now for everything that waits after a failure (within the budget). */
void fetch_hurry(struct fetch *fetch);
/* The wanted deps that fail. */
void fetch_health(const struct fetch *fetch, struct health *health);
void fetch_stop(struct fetch *fetch); /* cancel everything; answers stay */

#endif
