#include "base/retry.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/digest.h"

#define LEFT_PART 6 /* of what is left: five more tries fit in */

const struct retry_policy retry_usual = {RETRY_UPPER_HALF, .first_ms = 1000, .most_ms = (int64_t)5 * 60 * 1000,
                                         .nearest_ms = 30 * 1000};

static const struct retry_news no_news = {.left_ms = CLOCK_NEVER, .asked_ms = -1};

struct retry_policy retry_between(const struct retry_policy *policy, int64_t first_ms, int64_t most_ms)
{
    struct retry_policy bounded = *policy;

    if (first_ms > 0)
        bounded.first_ms = first_ms;
    if (most_ms > 0)
        bounded.most_ms = most_ms;
    return bounded;
}

void retry_init(struct retry *retry, const struct retry_policy *policy)
{
    *retry = (struct retry){.policy = policy, .success_at = CLOCK_NEVER};
}

void retry_reset(struct retry *retry)
{
    retry_init(retry, retry->policy);
}

void retry_success(struct retry *retry, int64_t now)
{
    if (retry->success_at == CLOCK_NEVER)
        retry->success_at = now;
}

bool retry_untouched(const struct retry *retry)
{
    return retry->steps == 0 && retry->success_at == CLOCK_NEVER;
}

/* ------------------------------------------------------------------------------------------------------- waits ---- */

/* Where the n-th step ends, and the one after it begins. */
static int64_t step_end(const struct retry_policy *policy, unsigned n)
{
    int64_t end = policy->first_ms;

    for (unsigned i = 0; i < n && end < policy->most_ms; i++)
        end *= 2;
    return end < policy->most_ms ? end : policy->most_ms;
}

static int64_t upper_half(const struct retry_policy *policy, int64_t most)
{
    int64_t wait = (int64_t)digest_jitter((double)most / 2, (double)most);

    return wait < policy->first_ms ? policy->first_ms : wait;
}

static int64_t tenth_more(const struct retry_policy *policy, int64_t wait, int64_t age_ms)
{
    int64_t calm = age_ms < policy->calm_for_ms ? policy->calm_ms : 2 * policy->calm_ms;

    return (int64_t)((double)(calm && calm < wait ? calm : wait) * digest_jitter(1.0, 1.1));
}

/* The wait of the step that begins now. */
static int64_t draw(struct retry *retry, int64_t age_ms)
{
    const struct retry_policy *policy = retry->policy;

    if (retry->steps < UINT16_MAX)
        retry->steps++;
    switch (policy->spread) {
    case RETRY_UPPER_HALF:
        return upper_half(policy, step_end(policy, retry->steps));
    case RETRY_FROM_FIRST:
        return (int64_t)digest_jitter((double)policy->first_ms, (double)step_end(policy, retry->steps) + 1);
    case RETRY_TENTH_MORE:
        return tenth_more(policy, step_end(policy, retry->steps - 1), age_ms);
    default:
        return (int64_t)digest_jitter((double)policy->first_ms, (double)policy->most_ms);
    }
}

/* ---------------------------------------------------------------------------------------------------- for good ---- */

/* How long its tries take from the first to the last. */
static int64_t patience_ms(const struct retry_policy *policy, bool unanswered)
{
    int64_t sum = unanswered ? (int64_t)policy->tries * policy->unanswered_ms : 0;

    for (unsigned i = 0; i + 1 < policy->tries; i++)
        sum += step_end(policy, i);
    return sum;
}

/* The last try is made when it is time to give up. Where waits are long it takes the place of the one before it, and comes not
 * besides; so that it does not come out of turn, it then waits for its turn if it was not foreseen. */
static int64_t up_to(const struct retry_policy *policy, int64_t left, int64_t wait)
{
    if (policy->calm_ms && wait >= policy->calm_ms)
        return left >= wait && left < wait * 11 / 5 ? left : wait;
    return left < wait ? left : wait;
}

static int64_t until_given_up(struct retry *retry, int64_t wait, int64_t now, bool unanswered)
{
    int64_t left;

    if (retry->state != RETRY_GOES_ON) {
        retry->state = RETRY_IS_OVER;
        return wait;
    }
    if (!retry->policy->tries || retry->steps < retry->policy->tries)
        return wait;
    left = retry->since + patience_ms(retry->policy, unanswered) - now;
    if (left <= 0)
        retry->state = RETRY_GAVE_UP;
    return left > 0 ? up_to(retry->policy, left, wait) : wait;
}

/* --------------------------------------------------------------------------------------------------- a failure ---- */

static int64_t closer(const struct retry_policy *policy, int64_t wait, int64_t left_ms)
{
    int64_t part = left_ms / LEFT_PART;

    if (!policy->nearest_ms || left_ms == CLOCK_NEVER || left_ms <= 0 || wait <= part || wait <= policy->nearest_ms)
        return wait;
    return (int64_t)((double)(part > policy->nearest_ms ? part : policy->nearest_ms) * digest_jitter(1.0, 1.1));
}

int64_t retry_unhurried(const struct retry *retry, int64_t now, int64_t wait)
{
    int64_t nearest = retry->policy->nearest_ms;
    bool later = now + wait - retry->since > 2 * nearest;

    return later && wait < nearest && nearest <= retry->policy->most_ms ? nearest : wait;
}

static void count_failure(struct retry *retry, int64_t now)
{
    if (retry->success_at != CLOCK_NEVER && now - retry->success_at > step_end(retry->policy, retry->steps))
        retry_reset(retry);
    retry->success_at = CLOCK_NEVER;
    if (retry->failures++ == 0)
        retry->since = now;
}

int64_t retry_next(struct retry *retry, int64_t now, const struct retry_news *news)
{
    int64_t wait;

    if (!news)
        news = &no_news;
    count_failure(retry, now);
    wait = draw(retry, now - retry->since);
    wait = retry_unhurried(retry, now, closer(retry->policy, wait, news->left_ms));
    wait = until_given_up(retry, wait, now, news->unanswered);
    if (news->asked_ms <= wait)
        return wait;
    return retry_unhurried(retry, now, (int64_t)((double)news->asked_ms * digest_jitter(1.0, 1.1)));
}

int64_t retry_pause(struct retry *retry)
{
    return draw(retry, 0);
}

bool retry_gave_up(const struct retry *retry)
{
    return retry->state == RETRY_GAVE_UP;
}
