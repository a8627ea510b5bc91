#include "base/json_text.h"

#include <inttypes.h>

#include "base/json.h"

void json_text_next(struct buf *out)
{
    char last = out->len ? out->data[out->len - 1] : '{';

    if (last != '{' && last != '[' && last != ':')
        buf_addc(out, ',');
}

void json_text_open(struct buf *out, char bracket)
{
    json_text_next(out);
    buf_addc(out, bracket);
}

void json_text_close(struct buf *out, char bracket)
{
    buf_addc(out, bracket);
}

void json_text_key(struct buf *out, const char *key)
{
    json_text_str(out, str_of(key));
    buf_addc(out, ':');
}

void json_text_str(struct buf *out, struct str s)
{
    json_text_next(out);
    json_write_str(out, s, 0);
}

void json_text_cstr(struct buf *out, const char *s)
{
    if (s)
        json_text_str(out, str_of(s));
    else
        json_text_raw(out, NULL);
}

void json_text_int(struct buf *out, int64_t i)
{
    json_text_next(out);
    buf_addf(out, "%" PRId64, i);
}

void json_text_bool(struct buf *out, bool b)
{
    json_text_raw(out, b ? "true" : "false");
}

/* What was read as JSON or YAML can always be written, but for maps with odd keys. */
void json_text_val(struct buf *out, const struct val *v)
{
    struct err err;

    json_text_next(out);
    if (val_is_nil(v) || json_write(out, v, 0, &err) != 0)
        buf_adds(out, "null");
}

void json_text_raw(struct buf *out, const char *json)
{
    json_text_next(out);
    buf_adds(out, json && *json ? json : "null");
}

void json_text_member(struct buf *out, const char *key, struct str s)
{
    json_text_key(out, key);
    json_text_str(out, s);
}

void json_text_member_if(struct buf *out, const char *key, struct str s)
{
    if (s.len)
        json_text_member(out, key, s);
}

void json_text_flag_if(struct buf *out, const char *key, bool b)
{
    if (b) {
        json_text_key(out, key);
        json_text_bool(out, true);
    }
}
