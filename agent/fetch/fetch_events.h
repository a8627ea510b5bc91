/*
 * fetch_events: what fetch is told, and what it tells: shared by fetch and fetch_one.
 *
 * All events come from the loop. What they are given is borrowed for the call.
 */
#ifndef FETCH_FETCH_EVENTS_H
#define FETCH_FETCH_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "fetch/fetch_options.h"
#include "vault/dep.h"

/* A try that failed. */
struct fetch_failure {
    const struct dep *dep;
    const struct err *err;
    unsigned attempt; /* counts from 1 */
    int64_t again_ms; /* the next one comes by itself after this time */
    bool exhausted;   /* once: the originals would have given up here */
};

struct fetch_events {
    void *ctx;
    /* The store has a new answer for `dep` (every fetch that brought different data; renewals do not call). */
    void (*on_change)(void *ctx, const struct dep *dep);
    void (*on_error)(void *ctx, const struct fetch_failure *failure);
    /* An answer came after failures that lasted so long. */
    void (*on_recovery)(void *ctx, const struct dep *dep, int64_t after_ms);
    /* The server said 403: hand it to auth_suspect(). `worked`: it had not, and the token is to be asked about. */
    void (*on_suspect)(void *ctx, bool worked);
    void (*on_warning)(void *ctx, const char *text);
    void (*on_renewed)(void *ctx, const struct dep *dep); /* may be NULL */
};

#endif
