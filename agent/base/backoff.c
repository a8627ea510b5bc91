#include "base/backoff.h"

#include "base/clock.h"
#include "base/digest.h"

#define FLOOR_MS   ((int64_t)1000)
#define CEILING_MS ((int64_t)5 * 60 * 1000)
#define LEFT_PART  6 /* of what is left of a lease: five more tries fit in */

void backoff_init(struct backoff *backoff, int64_t floor_ms, int64_t ceiling_ms)
{
    *backoff = (struct backoff){
        .floor_ms = floor_ms > 0 ? floor_ms : FLOOR_MS,
        .ceiling_ms = ceiling_ms > 0 ? ceiling_ms : CEILING_MS,
        .success_at = CLOCK_NEVER,
    };
}

/* The longest wait after this many failures: twice the floor, then doubling. */
static int64_t step_ms(const struct backoff *backoff, unsigned failures)
{
    int64_t step = backoff->floor_ms;

    for (unsigned i = 0; i < failures && step < backoff->ceiling_ms; i++)
        step *= 2;
    return step < backoff->ceiling_ms ? step : backoff->ceiling_ms;
}

int64_t backoff_next(struct backoff *backoff, int64_t now, int64_t left_ms, int64_t asked_ms)
{
    int64_t most, wait;

    if (backoff->success_at != CLOCK_NEVER && now - backoff->success_at > step_ms(backoff, backoff->failures))
        backoff->failures = 0;
    backoff->success_at = CLOCK_NEVER;
    if (backoff->failures < 62)
        backoff->failures++;

    most = step_ms(backoff, backoff->failures);
    if (left_ms != CLOCK_NEVER && left_ms / LEFT_PART < most)
        most = left_ms / LEFT_PART;
    /* The upper half of the step: with jitter from zero up, short waits in a row would break the promised rate. */
    wait = (int64_t)digest_jitter((double)most / 2, (double)most);
    if (wait < backoff->floor_ms)
        wait = backoff->floor_ms;
    if (asked_ms > wait)
        wait = (int64_t)((double)asked_ms * digest_jitter(1.0, 1.1));
    return wait;
}

void backoff_success(struct backoff *backoff, int64_t now)
{
    if (backoff->success_at == CLOCK_NEVER)
        backoff->success_at = now;
}

void backoff_reset(struct backoff *backoff)
{
    backoff_init(backoff, backoff->floor_ms, backoff->ceiling_ms);
}
