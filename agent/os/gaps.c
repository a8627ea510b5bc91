#include "os/gaps.h"

#include <stdarg.h>
#include <stdio.h>

void gaps_add(struct gaps *gaps, const char *what, const char *fmt, ...)
{
    struct gap *gap;
    va_list ap;

    if (gaps->count == GAPS_MAX)
        return;
    gap = &gaps->rows[gaps->count++];
    gap->what = what;
    va_start(ap, fmt);
    vsnprintf(gap->reason, sizeof(gap->reason), fmt, ap);
    va_end(ap);
}
