/*
 * time_layout: points in time as Go's time.Format writes them, and the layouts that say how.
 *
 * A layout is the reference time Mon Jan 2 15:04:05 2006 written the way the result should look; what is no part of it stands for
 * itself.
 */
#ifndef GO_TIME_LAYOUT_H
#define GO_TIME_LAYOUT_H

#include "base/buf.h"
#include "base/val.h"
#include "go/moment.h"

#define TIME_LAYOUT_RFC3339 STR("2006-01-02T15:04:05Z07:00")
#define TIME_LAYOUT_STRING  STR("2006-01-02 15:04:05.999999999 -0700 MST")

enum time_part {
    TIME_NOTHING, /* the layout is over */
    TIME_MONTH_NAME,
    TIME_WEEKDAY_NAME,
    TIME_MONTH,
    TIME_DAY,
    TIME_YEAR_DAY,
    TIME_YEAR,
    TIME_SHORT_YEAR,
    TIME_HOUR,
    TIME_HOUR12,
    TIME_MINUTE,
    TIME_SECOND,
    TIME_FRACTION, /* ".000" or ",999" */
    TIME_HALF,     /* AM or PM, in the case of the layout */
    TIME_ZONE_NAME,
    TIME_ZONE, /* an offset; from "Z…" on, UTC is "Z" */
};

struct time_chunk {
    struct str prefix; /* what stands in front for itself */
    struct str layout; /* as written */
    enum time_part part;
    int width; /* of a number; of a name so many letters, 0 for all */
    char fill; /* of a number on the left: 0 or blank; nothing when its width is 1 */
};

/* The first part of a layout; what is left begins behind prefix and layout. */
struct time_chunk time_layout_next(struct str layout);
/* January is 0, Sunday is 0. */
extern const char *const time_months[12], *const time_weekdays[7];

void time_layout(struct buf *buf, const struct moment *moment, struct str layout);

#endif
