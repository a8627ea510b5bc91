/*
 * moment: a point in time as Go's time.Time has it.
 *
 * Seconds and nanoseconds since 1970 in UTC, with the offset and name of the zone that it was read in. The local zone is UTC.
 */
#ifndef GO_MOMENT_H
#define GO_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

struct moment {
    int64_t seconds;
    int32_t nanos;  /* 0 to 999,999,999 */
    int32_t offset; /* seconds east */
    bool local;     /* in the local zone, which is UTC: not the same to Go */
    char zone[16];  /* "" when it has only an offset; longer names are cut */
};

/* Go's zero time, the first second of year 1. */
#define MOMENT_ZERO ((struct moment){.seconds = INT64_C(-62135596800), .zone = "UTC"})

/* Of milliseconds or seconds since 1970, in UTC. */
struct moment moment_of_ms(int64_t ms);
struct moment moment_of_seconds(int64_t seconds);
/* Nanoseconds later; from `earlier` on, the nearest that fits. */
struct moment moment_add(struct moment moment, int64_t nanos);
int64_t moment_since(const struct moment *moment, const struct moment *earlier);
/* In UTC, by this name or as the local zone? Other zones are new objects wherever they are read. */
bool moment_is_utc(const struct moment *moment);
/* Below 0, 0, above 0. */
int moment_compare(const struct moment *a, const struct moment *b);
/* The calendar and clock of its zone. */
struct tm;
void moment_calendar(const struct moment *moment, struct tm *ret);

#endif
