#include "go/moment.h"

#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000) /* in nanoseconds */

struct moment moment_of_seconds(int64_t seconds)
{
    return (struct moment){.seconds = seconds, .zone = "UTC"};
}

struct moment moment_of_ms(int64_t ms)
{
    int64_t rest = (ms % 1000 + 1000) % 1000;

    return (struct moment){.seconds = (ms - rest) / 1000, .nanos = (int32_t)rest * 1000000, .zone = "UTC"};
}

struct moment moment_add(struct moment moment, int64_t nanos)
{
    int64_t sum = moment.nanos + nanos % SECOND;
    int64_t carry = sum < 0 ? -1 : sum / SECOND;

    moment.seconds = (int64_t)((uint64_t)moment.seconds + (uint64_t)(nanos / SECOND + carry));
    moment.nanos = (int32_t)(sum - carry * SECOND);
    return moment;
}

int moment_compare(const struct moment *a, const struct moment *b)
{
    if (a->seconds != b->seconds)
        return a->seconds < b->seconds ? -1 : 1;
    return a->nanos < b->nanos ? -1 : a->nanos > b->nanos;
}

bool moment_is_utc(const struct moment *moment)
{
    return moment->offset == 0 && strcmp(moment->zone, "UTC") == 0;
}

int64_t moment_since(const struct moment *moment, const struct moment *earlier)
{
    int64_t seconds, nanos;

    if (__builtin_sub_overflow(moment->seconds, earlier->seconds, &seconds) || __builtin_mul_overflow(seconds, SECOND, &nanos) ||
        __builtin_add_overflow(nanos, moment->nanos - earlier->nanos, &nanos))
        return moment_compare(moment, earlier) < 0 ? INT64_MIN : INT64_MAX;
    return nanos;
}

/* Years that an int does not hold are none that a template could make. */
void moment_calendar(const struct moment *moment, struct tm *ret)
{
    time_t seconds = (time_t)(moment->seconds + moment->offset);

    *ret = (struct tm){.tm_mday = 1, .tm_year = -1899};
    gmtime_r(&seconds, ret);
}
