/*
 * time_parse: text as points in time, as Go's time.ParseInLocation reads them by a layout. What names no zone is UTC, as the local zone is.
 */
#ifndef TPL_TIME_PARSE_H
#define TPL_TIME_PARSE_H

#include "tpl/moment.h"

/* Errors are Go's; with `redact` they show neither the text nor the layout. */
int time_parse(struct str layout, struct str text, bool redact, struct moment *ret, struct err *err) MUST_USE;

#endif
