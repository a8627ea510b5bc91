/*
 * warn: admission warnings, which kubectl shows to whoever creates the pod.
 *
 * At most LIMIT_REVIEW_WARNINGS of LIMIT_REVIEW_WARNING_BYTES; the API server cuts longer ones. Control bytes are replaced.
 */
#ifndef INJECT_WARN_H
#define INJECT_WARN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"

struct warnings {
    size_t count;
    char text[LIMIT_REVIEW_WARNINGS][LIMIT_REVIEW_WARNING_BYTES];
};

/* A str for %.*s in a warning: enough of it to find it. */
#define WARN_SHOWN(s) (int)((s).len < 63 ? (s).len : 63), (s).data

/* Whoever looks for many things to warn of may stop. */
bool warn_full(const struct warnings *warnings);
void warn_add(struct warnings *warnings, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
