/*
 * time_layout: points in time as Go's time.Format writes them, in UTC.
 *
 * A layout is the reference time Mon Jan 2 15:04:05 2006 written the way the result should look; what is no part of it stands for itself.
 */
#ifndef TPL_TIME_LAYOUT_H
#define TPL_TIME_LAYOUT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/val.h"

#define TIME_LAYOUT_RFC3339 STR("2006-01-02T15:04:05Z07:00")

/* `ms` are milliseconds since 1970. */
void time_layout(struct buf *buf, int64_t ms, struct str layout);

#endif
