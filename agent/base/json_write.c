#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "base/utf8.h"

struct writer {
    struct buf *buf;
    struct err *err;
    unsigned flags, depth;
};

/* ---------------------------------------------------------------------------------------------------------- strings */

static void write_hex(struct buf *buf, unsigned rune)
{
    buf_adds(buf, "\\u");
    for (int shift = 12; shift >= 0; shift -= 4)
        buf_addc(buf, "0123456789abcdef"[rune >> shift & 15]);
}

static void write_ascii(struct buf *buf, unsigned char c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *known = c ? memchr(from, c, sizeof(from) - 1) : NULL;

    if (known) {
        buf_addc(buf, '\\');
        buf_addc(buf, to[known - from]);
    } else {
        write_hex(buf, c);
    }
}

/* Runs of what needs no escape are the usual case. */
enum { ESCAPED = 1, HTML = 2 };

static const unsigned char classes[256] = {
    [0 ... 0x1F] = ESCAPED, ['"'] = ESCAPED, ['\\'] = ESCAPED, [0x80 ... 0xFF] = ESCAPED,
    ['<'] = HTML,           ['>'] = HTML,    ['&'] = HTML,
};

static size_t plain_run(struct str s, unsigned char stop)
{
    size_t n = 0;

    while (n < s.len && !(classes[(unsigned char)s.data[n]] & stop))
        n++;
    return n;
}

static size_t write_wide(struct buf *buf, struct str s)
{
    unsigned rune;
    size_t width = utf8_decode(s.data, s.len, &rune);

    if (width == 0) {
        buf_adds(buf, "\\ufffd");
        return 1;
    }
    if (rune == 0x2028 || rune == 0x2029)
        write_hex(buf, rune);
    else
        buf_add(buf, s.data, width);
    return width;
}

void json_write_str(struct buf *buf, struct str s, unsigned flags)
{
    unsigned char stop = flags & JSON_NO_HTML ? ESCAPED : ESCAPED | HTML;
    size_t step;

    buf_addc(buf, '"');
    for (; s.len > 0; s.data += step, s.len -= step) {
        step = plain_run(s, stop);
        if (step > 0) {
            buf_add(buf, s.data, step);
        } else if ((unsigned char)*s.data >= 0x80) {
            step = write_wide(buf, s);
        } else {
            write_ascii(buf, (unsigned char)*s.data);
            step = 1;
        }
    }
    buf_addc(buf, '"');
}

static void write_base64(struct buf *buf, struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    buf_addc(buf, '"');
    for (size_t i = 0; i < s.len; i += 3) {
        unsigned bits = (unsigned)(unsigned char)s.data[i] << 16;

        bits |= i + 1 < s.len ? (unsigned)(unsigned char)s.data[i + 1] << 8 : 0;
        bits |= i + 2 < s.len ? (unsigned)(unsigned char)s.data[i + 2] : 0;
        buf_addc(buf, digits[bits >> 18]);
        buf_addc(buf, digits[bits >> 12 & 63]);
        buf_addc(buf, i + 1 < s.len ? digits[bits >> 6 & 63] : '=');
        buf_addc(buf, i + 2 < s.len ? digits[bits & 63] : '=');
    }
    buf_addc(buf, '"');
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

/* "D.DDDDe[+-]XX" with as few digits as read back to the same number. */
static void shortest(double f, char text[40])
{
    for (int digits = 0; digits <= 17; digits++) {
        snprintf(text, 40, "%.*e", digits, f);
        if (strtod(text, NULL) == f)
            return;
    }
}

/* The digits of "[-]D.DDDe+XX" and its exponent. */
static int split_digits(const char *text, char digits[24])
{
    size_t n = 0;

    for (; *text && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && n < 23)
            digits[n++] = *text;
    }
    digits[n] = '\0';
    return *text ? (int)strtod(text + 1, NULL) : 0;
}

static void write_plain(struct buf *buf, const char *digits, int exponent)
{
    int n = (int)strlen(digits);

    if (exponent < 0) {
        buf_addf(buf, "0.%0*d%s", -exponent - 1, 0, digits);
        return;
    }
    for (int i = 0; i <= exponent || i < n; i++) {
        if (i == exponent + 1)
            buf_addc(buf, '.');
        buf_addc(buf, i < n ? digits[i] : '0');
    }
}

/* As JavaScript prints: plain from 1e-6 up to 1e21, else with an exponent without padding. */
static int write_float(struct writer *w, double f)
{
    char text[40], digits[24];
    int exponent;

    if (!isfinite(f))
        return err_set(w->err, ERR_INPUT, "json: unsupported value: %s", isnan(f) ? "NaN" : f > 0 ? "+Inf" : "-Inf");
    shortest(f, text);
    exponent = split_digits(text, digits);
    if (signbit(f))
        buf_addc(w->buf, '-');
    if (f != 0 && (fabs(f) < 1e-6 || fabs(f) >= 1e21))
        buf_addf(w->buf, "%c%s%se%+d", digits[0], digits[1] ? "." : "", digits + 1, exponent);
    else if (exponent == -1)
        buf_addf(w->buf, "0.%s", digits);
    else
        write_plain(w->buf, digits, exponent);
    return 0;
}

/* ------------------------------------------------------------------------------------------------ lists and objects */

static int write_value(struct writer *w, const struct val *v);

static void new_line(struct writer *w)
{
    size_t blanks = w->depth * 2;
    char *room;

    if (!(w->flags & JSON_PRETTY) || !(room = buf_room(w->buf, blanks + 1)))
        return;
    memset(room, ' ', blanks + 1);
    room[0] = '\n';
    w->buf->len += blanks + 1;
    w->buf->data[w->buf->len] = '\0';
}

static int open_level(struct writer *w, char open)
{
    if (++w->depth > LIMIT_DEPTH * 2)
        return err_set(w->err, ERR_LIMIT, "json: value nested deeper than %d", LIMIT_DEPTH * 2);
    buf_addc(w->buf, open);
    return 0;
}

static void close_level(struct writer *w, char close, bool empty)
{
    w->depth--;
    if (!empty)
        new_line(w);
    buf_addc(w->buf, close);
}

static void next_item(struct writer *w, size_t i)
{
    if (i > 0)
        buf_addc(w->buf, ',');
    new_line(w);
}

/* What Go calls a nil slice, map or pointer. */
static int write_null(struct writer *w)
{
    buf_adds(w->buf, "null");
    return 0;
}

static int write_list(struct writer *w, const struct val *v)
{
    if (!v->list.items)
        return write_null(w);
    if (open_level(w, '[') != 0)
        return -1;
    for (size_t i = 0; i < v->list.len; i++) {
        next_item(w, i);
        if (write_value(w, &v->list.items[i]) != 0)
            return -1;
    }
    close_level(w, ']', v->list.len == 0);
    return 0;
}

static int write_map(struct writer *w, const struct val *v)
{
    v = val_target(v);
    if (v->kind == VAL_MAP && v->type == VAL_T_ANY_KEY)
        return err_set(w->err, ERR_INPUT, "json: unsupported type: map[interface {}]interface {}");
    if (!v->map.pairs)
        return write_null(w);
    if (open_level(w, '{') != 0)
        return -1;
    for (size_t i = 0; i < v->map.len; i++) {
        next_item(w, i);
        json_write_str(w->buf, v->map.pairs[i].key->s, w->flags);
        buf_adds(w->buf, w->flags & JSON_PRETTY ? ": " : ":");
        if (write_value(w, &v->map.pairs[i].value) != 0)
            return -1;
    }
    close_level(w, '}', v->map.len == 0);
    return 0;
}

static bool is_number(struct str s)
{
    struct cursor cur = cursor_of(s.data, s.len);
    bool good;

    cursor_char(&cur, '-');
    good = cursor_char(&cur, '0') || cursor_skip(&cur, "0123456789") > 0;
    if (good && cursor_char(&cur, '.'))
        good = cursor_skip(&cur, "0123456789") > 0;
    if (good && (cursor_char(&cur, 'e') || cursor_char(&cur, 'E'))) {
        if (!cursor_char(&cur, '+'))
            cursor_char(&cur, '-');
        good = cursor_skip(&cur, "0123456789") > 0;
    }
    return good && cursor_at_end(&cur);
}

/* An empty json.Number prints as 0. A template may have cut one into something else. */
static int write_number(struct writer *w, struct str s)
{
    if (s.len == 0)
        buf_addc(w->buf, '0');
    else if (is_number(s))
        buf_add(w->buf, s.data, s.len);
    else
        return err_set(w->err, ERR_INPUT, "json: invalid number literal \"%.*s\"", (int)s.len, s.data);
    return 0;
}

/* Objects that have a text are that text. */
static bool write_object(struct writer *w, const struct val *v)
{
    _cleanup_buf_ struct buf text;

    buf_init_secret(&text, LIMIT_OUTPUT_BYTES);
    if (!val_object_text(v, &text))
        return false;
    if (buf_spread(w->buf, &text))
        return true;
    json_write_str(w->buf, (struct str){text.data, text.len}, w->flags);
    return true;
}

static int write_value(struct writer *w, const struct val *v)
{
    if (w->buf->full) /* nobody will read the rest, of which there may be more than time */
        return 0;
    switch ((enum val_kind)v->kind) {
    case VAL_MISSING:
    case VAL_NULL:
        return write_null(w);
    case VAL_BOOL:
        buf_adds(w->buf, v->b ? "true" : "false");
        return 0;
    case VAL_INT:
        buf_add_int(w->buf, v->i);
        return 0;
    case VAL_UINT:
        buf_add_uint(w->buf, v->u);
        return 0;
    case VAL_FLOAT:
        return write_float(w, v->f);
    case VAL_COMPLEX:
        return err_set(w->err, ERR_INPUT, "json: unsupported type: complex128");
    case VAL_NUMBER:
        return write_number(w, v->s);
    case VAL_STRING:
        if (v->type == VAL_T_BYTES)
            write_base64(w->buf, v->s);
        else
            json_write_str(w->buf, v->s, w->flags);
        return 0;
    case VAL_LIST:
        return write_list(w, v);
    case VAL_MAP:
    case VAL_RECORD:
        return write_map(w, v);
    case VAL_OPAQUE:
        if (write_object(w, v))
            return 0;
        break;
    }
    return err_set(w->err, ERR_INPUT, "json: unsupported type: %s", v->opaque.class->name);
}

int json_write(struct buf *buf, const struct val *v, unsigned flags, struct err *err)
{
    struct writer w = {buf, err, flags, 0};

    return write_value(&w, v);
}
