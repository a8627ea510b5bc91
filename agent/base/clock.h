/*
 * clock: the only way to learn the time.
 *
 * clock_now() is milliseconds of CLOCK_BOOTTIME (it goes on in suspend and never jumps): deadlines are made of it. It reads the
 * value that the loop stored for this turn (clock_turn()), so everything in a turn sees one "now". clock_wall() is milliseconds
 * since 1970 in UTC, for certificates and people. Tests link another body behind this header.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX

int64_t clock_now(void);
void clock_turn(void); /* read the clock anew; the loop calls it once a turn */
int64_t clock_wall(void);
/* Microseconds of CLOCK_MONOTONIC, read anew: how long something took within one turn. */
int64_t clock_micros(void);

/* For messages: whole seconds, rounded up. */
static inline long long clock_seconds_up(int64_t ms)
{
    return (long long)((ms + 999) / 1000);
}

#endif
