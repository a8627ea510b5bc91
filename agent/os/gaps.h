/*
 * gaps: what the kernel refused or lacks of the measures that were to be taken, each with its reason, for whoever logs it.
 *
 * A gap is no failure: what else can be given up is. No more than GAPS_MAX are kept.
 */
#ifndef OS_GAPS_H
#define OS_GAPS_H

#include <stddef.h>

#include "base/err.h"

#define GAPS_MAX 16

struct gap {
    const char *what; /* "landlock-net" */
    char reason[160]; /* plain words with the way out */
};
struct gaps {
    struct gap rows[GAPS_MAX];
    size_t count;
};

void gaps_add(struct gaps *gaps, const char *what, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
