#include "fetch/ladder.h"

/* The originals' steps, at our pace: two requests a minute, so a fix shows within half a minute, and one when nobody watches any
 * more. What runs out meanwhile makes them no more. Inside each try of theirs are pauses of 1 to 1.5 s and of twice that. */
static const struct retry_policy reads = {
    RETRY_TENTH_MORE,        .first_ms = 250,       .most_ms = 60 * 1000,
    .nearest_ms = 30 * 1000, .calm_ms = 30 * 1000,  .calm_for_ms = 10 * 60 * 1000,
    .tries = 1 + 12,         .unanswered_ms = 3750,
};

struct retry_policy ladder_policy(const struct ladder_options *options)
{
    struct retry_policy policy = retry_between(&reads, options->base_ms, options->cap_ms);

    if (options->retries)
        policy.tries = options->retries < 0 ? 1 : 1 + (unsigned)options->retries;
    return policy;
}

bool ladder_unanswered(int status)
{
    return status == 0 || status == 412 || status == 429 || (status >= 500 && status != 501);
}
