/*
 * time_parse: text as points in time, as Go's time.ParseInLocation reads them by a layout. What names no zone is UTC, as the
 * local zone is.
 */
#ifndef GO_TIME_PARSE_H
#define GO_TIME_PARSE_H

#include "base/err.h"
#include "base/val.h"
#include "go/moment.h"

/* Errors are Go's; with `redact` they show neither the text nor the layout. */
int time_parse(struct str layout, struct str text, bool redact, struct moment *ret, struct err *err) MUST_USE;

#endif
