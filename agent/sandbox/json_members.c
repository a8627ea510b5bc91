#include "sandbox/json_members.h"

#include <stdio.h>
#include <time.h>

enum { TIME_MAX = 32 };

/* "2026-11-23T23:44:17.915Z" */
static void add_time(struct buf *out, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    char text[TIME_MAX];
    struct tm tm;
    size_t len;

    gmtime_r(&seconds, &tm);
    len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + len, sizeof(text) - len, ".%03dZ", (int)(wall_ms % 1000));
    json_text_cstr(out, text);
}

static void add_time_or(struct buf *out, int64_t wall_ms, const char *never)
{
    if (wall_ms)
        add_time(out, wall_ms);
    else
        json_text_cstr(out, never);
}

static void add_value(struct buf *out, char type, va_list *ap)
{
    switch (type) {
    case 's':
        json_text_cstr(out, va_arg(*ap, const char *));
        break;
    case 'i':
        json_text_int(out, va_arg(*ap, int64_t));
        break;
    case 'b':
        json_text_bool(out, va_arg(*ap, int));
        break;
    case 'r':
        json_text_raw(out, va_arg(*ap, const char *));
        break;
    case 't':
        add_time_or(out, va_arg(*ap, int64_t), "");
        break;
    case 'T':
        add_time_or(out, va_arg(*ap, int64_t), NULL);
        break;
    default:
        json_text_val(out, va_arg(*ap, const struct val *));
    }
}

static void add_members(struct buf *out, const char *spec, va_list *ap)
{
    while (*spec) {
        const char *colon = strchr(spec, ':');

        json_text_str(out, (struct str){spec, (size_t)(colon - spec)});
        buf_addc(out, ':');
        add_value(out, colon[1], ap);
        spec = colon + 2;
        spec += *spec == ' ';
    }
}

void json_members(struct buf *out, const char *spec, ...)
{
    va_list ap;

    va_start(ap, spec);
    add_members(out, spec, &ap);
    va_end(ap);
}

void json_members_object(struct buf *out, const char *spec, ...)
{
    va_list ap;

    json_text_open(out, '{');
    va_start(ap, spec);
    add_members(out, spec, &ap);
    va_end(ap);
    json_text_close(out, '}');
}
