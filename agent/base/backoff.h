/*
 * backoff: how long to wait after a failure. Pure arithmetic.
 *
 * Exponential, with jitter over the upper half of each step; never more than a sixth of what is left of the thing that is being saved; reset only
 * after success has lasted longer than the interval that was reached.
 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t floor_ms, ceiling_ms;
    unsigned failures;
    int64_t success_at; /* CLOCK_NEVER while failing */
};

/* 0: 1 s and 5 min. */
void backoff_init(struct backoff *backoff, int64_t floor_ms, int64_t ceiling_ms);
/* After a failure: milliseconds to wait. `left_ms` is what is left of the lease (CLOCK_NEVER: no lease), `asked_ms` the server's
 * Retry-After or -1: a lower bound. */
int64_t backoff_next(struct backoff *backoff, int64_t now, int64_t left_ms, int64_t asked_ms);
void backoff_success(struct backoff *backoff, int64_t now);
void backoff_reset(struct backoff *backoff);

#endif
