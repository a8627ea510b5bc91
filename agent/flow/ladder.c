#include "flow/ladder.h"

#include "base/clock.h"
#include "base/digest.h"

#define LEFT_PART  6
#define RETRIES    12
#define BASE_MS    ((int64_t)250)
#define CAP_MS     ((int64_t)60 * 1000)
#define OUR_CAP_MS ((int64_t)30 * 1000)       /* two a minute: a fix shows within half a minute */
#define LONG_MS    ((int64_t)10 * 60 * 1000)  /* nobody watches any more */
#define INNER_MS   ((int64_t)3750)            /* pauses of 1 to 1.5 s and of twice that, inside each try of the originals */

static unsigned most_retries(const struct ladder_options *options)
{
    if (options->retries < 0)
        return 0;
    return options->retries ? (unsigned)options->retries : RETRIES;
}

static int64_t step_ms(const struct ladder_options *options, unsigned n)
{
    int64_t wait = options->base_ms > 0 ? options->base_ms : BASE_MS;
    int64_t cap = options->cap_ms > 0 ? options->cap_ms : CAP_MS;

    for (unsigned i = 0; i < n && wait < cap; i++)
        wait *= 2;
    return wait < cap ? wait : cap;
}

/* How long the originals take from their first try to their last. */
static int64_t patience_ms(const struct ladder_options *options, bool unanswered)
{
    unsigned most = most_retries(options);
    int64_t sum = unanswered ? (int64_t)(most + 1) * INNER_MS : 0;

    for (unsigned i = 0; i < most; i++)
        sum += step_ms(options, i);
    return sum;
}

static int64_t next_ms(struct ladder *ladder, const struct ladder_options *options, int64_t age_ms)
{
    int64_t wait = step_ms(options, ladder->steps), cap = age_ms < LONG_MS ? OUR_CAP_MS : 2 * OUR_CAP_MS;

    if (ladder->steps < UINT16_MAX)
        ladder->steps++;
    return (int64_t)((double)(wait < cap ? wait : cap) * digest_jitter(1.0, 1.1));
}

int64_t ladder_pause(struct ladder *ladder, const struct ladder_options *options)
{
    return next_ms(ladder, options, 0);
}

/* After these the originals' HTTP client tries again by itself. */
static bool is_unanswered(int status)
{
    return status == 0 || status == 412 || status == 429 || (status >= 500 && status != 501);
}

struct ladder_step ladder_failed(struct ladder *ladder, const struct ladder_options *options, int64_t now, int status)
{
    struct ladder_step step = {.exhausted = false};
    int64_t left;

    if (ladder->failures++ == 0)
        ladder->since = now;
    left = ladder->since + patience_ms(options, is_unanswered(status)) - now;
    step.wait_ms = next_ms(ladder, options, now - ladder->since);
    if (ladder->steps <= most_retries(options) || ladder->exhausted)
        return step;
    step.exhausted = ladder->exhausted = left <= 0;
    if (left > 0 && step.wait_ms > left)
        step.wait_ms = left;
    return step;
}

int64_t ladder_bend(int64_t wait_ms, int64_t left_ms, int64_t asked_ms)
{
    if (left_ms != CLOCK_NEVER && left_ms > 0 && wait_ms > left_ms / LEFT_PART)
        wait_ms = left_ms / LEFT_PART > 1000 ? left_ms / LEFT_PART : 1000;
    if (asked_ms > wait_ms)
        wait_ms = (int64_t)((double)asked_ms * digest_jitter(1.0, 1.1));
    return wait_ms;
}

void ladder_reset(struct ladder *ladder)
{
    *ladder = (struct ladder){.failures = 0};
}
