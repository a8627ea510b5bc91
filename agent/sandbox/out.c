#include "sandbox/out.h"

#include <stdio.h>
#include <time.h>

#include "base/emit.h"
#include "base/json.h"

void out_open(struct buf *out, char bracket)
{
    emit_open(out, bracket);
}

void out_close(struct buf *out, char bracket)
{
    emit_close(out, bracket);
}

void out_key(struct buf *out, const char *key)
{
    out_str(out, key);
    buf_addc(out, ':');
}

void out_str(struct buf *out, const char *s)
{
    emit_next(out);
    if (s)
        json_write_str(out, str_of(s), 0);
    else
        buf_adds(out, "null");
}

void out_raw(struct buf *out, const char *json)
{
    emit_next(out);
    buf_adds(out, json && *json ? json : "null");
}

/* What was read as JSON or YAML can always be written, but for maps with odd keys. */
void out_val(struct buf *out, const struct val *v)
{
    struct err err;

    emit_next(out);
    if (val_is_nil(v) || json_write(out, v, 0, &err) < 0)
        buf_adds(out, "null");
}

void out_time(int64_t wall_ms, char ret[OUT_TIME_MAX])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    size_t len;

    gmtime_r(&seconds, &tm);
    len = strftime(ret, OUT_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(ret + len, OUT_TIME_MAX - len, ".%03dZ", (int)(wall_ms % 1000));
}

static void add_time(struct buf *out, int64_t wall_ms)
{
    char text[OUT_TIME_MAX] = "";

    if (wall_ms)
        out_time(wall_ms, text);
    out_str(out, text);
}

static void add_value(struct buf *out, char type, va_list *ap)
{
    switch (type) {
    case 's':
        out_str(out, va_arg(*ap, const char *));
        break;
    case 'i':
        emit_int(out, va_arg(*ap, int64_t));
        break;
    case 'b':
        out_raw(out, va_arg(*ap, int) ? "true" : "false");
        break;
    case 'r':
        out_raw(out, va_arg(*ap, const char *));
        break;
    case 't':
        add_time(out, va_arg(*ap, int64_t));
        break;
    default:
        out_val(out, va_arg(*ap, const struct val *));
    }
}

static void add_fields(struct buf *out, const char *spec, va_list *ap)
{
    while (*spec) {
        const char *colon = strchr(spec, ':');

        emit_next(out);
        json_write_str(out, (struct str){spec, (size_t)(colon - spec)}, 0);
        buf_addc(out, ':');
        add_value(out, colon[1], ap);
        spec = colon + 2;
        spec += *spec == ' ';
    }
}

void out_fields(struct buf *out, const char *spec, ...)
{
    va_list ap;

    va_start(ap, spec);
    add_fields(out, spec, &ap);
    va_end(ap);
}

void out_object(struct buf *out, const char *spec, ...)
{
    va_list ap;

    out_open(out, '{');
    va_start(ap, spec);
    add_fields(out, spec, &ap);
    va_end(ap);
    out_close(out, '}');
}
