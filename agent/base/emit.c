#include "base/emit.h"

#include <inttypes.h>

#include "base/json.h"

void emit_next(struct buf *out)
{
    char last = out->len ? out->data[out->len - 1] : '{';

    if (last != '{' && last != '[' && last != ':')
        buf_addc(out, ',');
}

void emit_open(struct buf *out, char bracket)
{
    emit_next(out);
    buf_addc(out, bracket);
}

void emit_close(struct buf *out, char bracket)
{
    buf_addc(out, bracket);
}

void emit_key(struct buf *out, const char *key)
{
    emit_next(out);
    buf_addc(out, '"');
    buf_adds(out, key);
    buf_add(out, "\":", 2);
}

void emit_str(struct buf *out, struct str s)
{
    emit_next(out);
    json_write_str(out, s, 0);
}

void emit_cstr(struct buf *out, const char *s)
{
    emit_str(out, str_of(s));
}

void emit_int(struct buf *out, int64_t i)
{
    emit_next(out);
    buf_addf(out, "%" PRId64, i);
}

void emit_bool(struct buf *out, bool b)
{
    emit_next(out);
    buf_adds(out, b ? "true" : "false");
}

void emit_val(struct buf *out, const struct val *v)
{
    struct err err;

    emit_next(out);
    if (json_write(out, v, 0, &err) != 0)
        buf_adds(out, "null"); /* what was read as JSON can always be written */
}

void emit_member(struct buf *out, const char *key, struct str s)
{
    emit_key(out, key);
    emit_str(out, s);
}

void emit_member_if(struct buf *out, const char *key, struct str s)
{
    if (s.len)
        emit_member(out, key, s);
}

void emit_flag_if(struct buf *out, const char *key, bool b)
{
    if (b) {
        emit_key(out, key);
        emit_bool(out, true);
    }
}
