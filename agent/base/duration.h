/*
 * duration: spans of time in nanoseconds, as Go's time.Duration reads and prints them: "1h15m30.918s".
 */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/val.h"

#define DURATION_SECOND INT64_C(1000000000)

/* time.ParseDuration. Errors are Go's; with `redact` they show nothing of the text. */
int duration_parse(struct str text, bool redact, int64_t *ret, struct err *err) MUST_USE;
void duration_print(struct buf *buf, int64_t nanos);
/* To whole seconds, or another unit, halves away from zero; a unit below 1 changes nothing. */
int64_t duration_round(int64_t nanos);
int64_t duration_round_to(int64_t nanos, int64_t unit);
/* A text in quotes as errors of package time show it, or "[redacted]". */
void duration_quote(struct buf *buf, struct str s, bool redact);

#endif
