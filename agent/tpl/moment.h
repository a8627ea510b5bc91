/*
 * moment: a point in time as Go's time.Time, for templates.
 *
 * Seconds and nanoseconds since 1970 in UTC, with the offset and name of the zone that it was read in. The local zone is UTC.
 */
#ifndef TPL_MOMENT_H
#define TPL_MOMENT_H

#include "base/buf.h"
#include "base/val.h"

struct moment {
    int64_t seconds;
    int32_t nanos;  /* 0 to 999,999,999 */
    int32_t offset; /* seconds east */
    char zone[8];   /* "" when it has only an offset */
};

/* tpl_class_time, see tpl/func.h. */
int moment_value(struct arena *arena, const struct moment *moment, struct val *ret, struct err *err) MUST_USE;
const struct moment *moment_of(const struct val *v);

#endif
