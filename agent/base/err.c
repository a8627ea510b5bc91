#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void mark_cut(struct err *err, int wanted)
{
    if (wanted >= ERR_TEXT_MAX)
        memcpy(err->text + ERR_TEXT_MAX - 4, "...", 4);
}

int err_vset(struct err *err, enum err_code code, const char *fmt, va_list ap)
{
    err->code = code;
    mark_cut(err, vsnprintf(err->text, sizeof(err->text), fmt, ap));
    return -1;
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    err_vset(err, code, fmt, ap);
    va_end(ap);
    return -1;
}

int err_system(struct err *err, const char *fmt, ...)
{
    int saved = errno;
    size_t used;
    va_list ap;

    va_start(ap, fmt);
    err_vset(err, ERR_SYSTEM, fmt, ap);
    va_end(ap);
    used = strlen(err->text);
    mark_cut(err, (int)used + snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(saved)));
    return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
    struct err inner = *err;
    size_t used;
    va_list ap;

    va_start(ap, fmt);
    err_vset(err, inner.code, fmt, ap);
    va_end(ap);
    used = strlen(err->text);
    mark_cut(err, (int)used + snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner.text));
    return -1;
}

int err_at(struct err *err, const char *file, unsigned line, unsigned column)
{
    return column ? err_wrap(err, "%s:%u:%u", file, line, column) : err_wrap(err, "%s:%u", file, line);
}

const char *err_name(enum err_code code)
{
    static const char *const names[] = {
        [ERR_NONE] = "none",   [ERR_RETRY] = "retry", [ERR_DENIED] = "denied", [ERR_MISSING] = "missing",
        [ERR_LIMIT] = "limit", [ERR_INPUT] = "input", [ERR_SYSTEM] = "system",
    };

    return names[code];
}
