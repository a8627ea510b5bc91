/*
 * duration: spans of time in nanoseconds, as Go's time.Duration reads and prints them: "1h15m30.918s".
 */
#ifndef GO_DURATION_H
#define GO_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/val.h"

#define DURATION_MILLISECOND INT64_C(1000000)
#define DURATION_SECOND      INT64_C(1000000000)

/* time.ParseDuration. Errors are Go's; with `redact` they show nothing of the text. */
int duration_parse(struct str text, bool redact, int64_t *ret, struct err *err) MUST_USE;
/*
 * As configuration and flags write it: the same, or days ("7d"), or bare seconds ("90"). In milliseconds, at most ten years;
 * errors say how to write one. Source: go-secure-stdlib parseutil.ParseDurationSecond.
 */
int duration_setting(struct str text, int64_t *ret_ms, struct err *err) MUST_USE;
void duration_print(struct buf *buf, int64_t nanos);
/* To whole seconds, or another unit, halves away from zero; a unit below 1 changes nothing. */
int64_t duration_round(int64_t nanos);
int64_t duration_round_to(int64_t nanos, int64_t unit);
/* A text in quotes as errors of package time show it, or "[redacted]". */
void duration_quote(struct buf *buf, struct str s, bool redact);

#endif
