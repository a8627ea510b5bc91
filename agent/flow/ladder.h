/*
 * ladder: when a failing dep is asked again, and when the originals would have given up on it. Pure arithmetic.
 *
 * Pauses begin at 250 ms and double up to 30 s, after ten minutes one minute: at most twelve requests in the first minute, two in each later one.
 * A dep is exhausted when it was asked for more than `retries` times again and the time is over that the originals take for as many: their own steps and,
 * where the server gave no answer, two more tries of their HTTP client after each. The last try is made at that very moment, so that whoever comes
 * back in time for the originals comes back in time for us.
 */
#ifndef FLOW_LADDER_H
#define FLOW_LADDER_H

#include <stdbool.h>
#include <stdint.h>

struct ladder_options {
    int retries;             /* num_retries: 0 = 12, negative: none */
    int64_t base_ms, cap_ms; /* min_backoff and max_backoff; 0: 250 ms and 60 s */
};

struct ladder {
    unsigned steps;    /* pauses so far */
    unsigned failures; /* those that count */
    int64_t since;     /* of the first that counts */
    bool exhausted;
};

/* What comes after a failure. */
struct ladder_step {
    int64_t wait_ms;
    bool exhausted; /* this failure was the last that the originals would have made; said once */
};

/* A failure that says nothing yet: a pause, and no more. */
int64_t ladder_pause(struct ladder *ladder, const struct ladder_options *options);
/* `status`: of the answer, 0 without one. */
struct ladder_step ladder_failed(struct ladder *ladder, const struct ladder_options *options, int64_t now, int status);
/* While an answer is running out (`left_ms`, CLOCK_NEVER: it is not) tries come closer; who asks for patience (Retry-After, -1: nobody) gets it. */
int64_t ladder_bend(int64_t wait_ms, int64_t left_ms, int64_t asked_ms);
void ladder_reset(struct ladder *ladder);

#endif
