#include "inject/warn.h"

#include <stdarg.h>
#include <stdio.h>

bool warn_full(const struct warnings *warnings)
{
    return warnings->count == LIMIT_REVIEW_WARNINGS;
}

void warn_add(struct warnings *warnings, const char *fmt, ...)
{
    char *text;
    va_list ap;

    if (warn_full(warnings))
        return;
    text = warnings->text[warnings->count++];
    va_start(ap, fmt);
    vsnprintf(text, LIMIT_REVIEW_WARNING_BYTES, fmt, ap);
    va_end(ap);
    for (; *text; text++)
        *text = (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text;
}
