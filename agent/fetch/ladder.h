/*
 * ladder: how a failing dep is asked again, and when the originals would have given up on it: a policy of `base/retry`, out of
 * their settings. Pure arithmetic.
 *
 * Pauses begin at 250 ms and double up to 30 s, after ten minutes one minute: at most twelve requests in the first minute, two in
 * each later one. A dep is exhausted when it was asked for more than `retries` times again and the time is over that the
 * originals take for as many: their own steps and, where the server gave no answer, two more tries of their HTTP client after
 * each. The last try is made at that very moment, so that whoever comes back in time for the originals comes back in time for us.
 */
#ifndef FETCH_LADDER_H
#define FETCH_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/retry.h"

struct ladder_options {
    int retries;             /* num_retries: 0 = 12, negative: none */
    int64_t base_ms, cap_ms; /* min_backoff and max_backoff; 0: 250 ms and 60 s */
};

struct retry_policy ladder_policy(const struct ladder_options *options);
/* `status`: of the answer, 0 without one. After these the originals' HTTP client tries again by itself. */
bool ladder_unanswered(int status);

#endif
