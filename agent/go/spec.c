#include "go/spec.h"

#include <math.h>
#include <string.h>

#include "base/unicode.h"
#include "base/utf8.h"
#include "go/number.h"
#include "go/quote.h"

/* Code points; a byte that is no UTF-8 counts as one. */
static size_t count_runes(const char *s, size_t len)
{
    size_t n = 0, width;
    unsigned rune;

    for (; len > 0; n++, s += width, len -= width) {
        width = (unsigned char)*s < 0x80 ? 1 : utf8_decode(s, len, &rune);
        width += width == 0;
    }
    return n;
}

static void add_fill(struct buf *buf, size_t count, char fill)
{
    char *room = buf_room(buf, count);

    if (!room)
        return;
    memset(room, fill, count);
    buf->len += count;
    buf->data[buf->len] = '\0';
}

/*
 * Everything is printed into the buffer first and moved when padding is due: so nothing needs memory of its own.
 * `start` is where the value begins; zeros are never put to its right.
 */
static void pad_from(const struct spec *spec, struct buf *buf, size_t start, bool zeros)
{
    size_t runes, missing;

    if (!spec->has_width || buf->full)
        return;
    runes = count_runes(buf->data + start, buf->len - start);
    if (runes >= (size_t)spec->width)
        return;
    missing = (size_t)spec->width - runes;
    add_fill(buf, missing, zeros && !spec->minus ? '0' : ' ');
    if (spec->minus || buf->full)
        return;
    memmove(buf->data + start + missing, buf->data + start, buf->len - missing - start);
    memset(buf->data + start, zeros ? '0' : ' ', missing);
}

/* ---------------------------------------------------------------------------------------------------------- strings */

static struct str cut_to_precision(const struct spec *spec, struct str s)
{
    size_t len = 0, width;
    unsigned rune;

    if (!spec->has_precision)
        return s;
    for (int n = spec->precision; n > 0 && len < s.len; n--, len += width) {
        width = utf8_decode(s.data + len, s.len - len, &rune);
        width += width == 0;
    }
    return (struct str){s.data, len};
}

void spec_padded(const struct spec *spec, struct buf *buf, struct str s)
{
    size_t start = buf->len;

    buf_add(buf, s.data, s.len);
    pad_from(spec, buf, start, spec->zero);
}

void spec_text(const struct spec *spec, struct buf *buf, struct str s)
{
    spec_padded(spec, buf, cut_to_precision(spec, s));
}

void spec_quoted(const struct spec *spec, struct buf *buf, struct str s)
{
    size_t start = buf->len;

    s = cut_to_precision(spec, s);
    if (spec->sharp && quote_can_be_raw(s)) {
        buf_addc(buf, '`');
        buf_add(buf, s.data, s.len);
        buf_addc(buf, '`');
    } else {
        quote_str(buf, s, spec->plus);
    }
    pad_from(spec, buf, start, spec->zero);
}

void spec_hex(const struct spec *spec, struct buf *buf, struct str s, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEFX" : "0123456789abcdefx";
    size_t start = buf->len;

    if (spec->has_precision && (size_t)spec->precision < s.len)
        s.len = (size_t)spec->precision;
    for (size_t i = 0; i < s.len; i++) {
        if (spec->space && i > 0)
            buf_addc(buf, ' ');
        if (spec->sharp && (spec->space || i == 0))
            buf_add(buf, (char[]){'0', digits[16]}, 2);
        buf_addc(buf, digits[(unsigned char)s.data[i] >> 4]);
        buf_addc(buf, digits[s.data[i] & 15]);
    }
    pad_from(spec, buf, start, spec->zero);
}

/* -------------------------------------------------------------------------------------------------- integers, runes */

static unsigned base_of(char verb)
{
    return verb == 'b' ? 2 : verb == 'o' || verb == 'O' ? 8 : verb == 'x' || verb == 'X' ? 16 : 10;
}

/* "0b", "0", "0x", "0o" in front of the digits; for octal only where they do not begin with a zero already. */
static void add_prefix(const struct spec *spec, struct buf *buf, uint64_t u, char verb, size_t least)
{
    bool leads_with_zero = u == 0 || least > (size_t)(64 - __builtin_clzll(u) + 2) / 3;

    if (verb == 'O')
        buf_adds(buf, "0o");
    if (!spec->sharp)
        return;
    if (verb == 'b')
        buf_adds(buf, "0b");
    else if (base_of(verb) == 16)
        buf_add(buf, (char[]){'0', verb}, 2);
    else if (base_of(verb) == 8 && !leads_with_zero)
        buf_addc(buf, '0');
}

static void to_upper(struct buf *buf, size_t start)
{
    for (size_t i = start; i < buf->len; i++) {
        if (buf->data[i] >= 'a' && buf->data[i] <= 'z')
            buf->data[i] = (char)(buf->data[i] - 'a' + 'A');
    }
}

/* Digits that a precision or zero padding asks for; a sign takes the place of a padding zero. */
static size_t least_digits(const struct spec *spec, bool negative)
{
    if (spec->has_precision)
        return (size_t)spec->precision;
    if (!spec->zero || spec->minus || !spec->has_width)
        return 1;
    return (size_t)spec->width - (spec->width > 0 && (negative || spec->plus || spec->space));
}

void spec_integer(const struct spec *spec, struct buf *buf, uint64_t u, bool negative, char verb)
{
    size_t start = buf->len, least = least_digits(spec, negative);

    if (spec->has_precision && spec->precision == 0 && u == 0) {
        pad_from(spec, buf, start, false);
        return;
    }
    if (negative)
        buf_addc(buf, '-');
    else if (spec->plus)
        buf_addc(buf, '+');
    else if (spec->space)
        buf_addc(buf, ' ');
    add_prefix(spec, buf, u, verb, least);
    number_uint(buf, u, base_of(verb), least);
    if (verb == 'X')
        to_upper(buf, start);
    pad_from(spec, buf, start, false);
}

void spec_char(const struct spec *spec, struct buf *buf, uint64_t rune)
{
    size_t start = buf->len;

    buf_add_rune(buf, rune > 0x10FFFF ? UTF8_BAD : (unsigned)rune);
    pad_from(spec, buf, start, spec->zero);
}

void spec_quoted_char(const struct spec *spec, struct buf *buf, uint64_t rune)
{
    size_t start = buf->len;

    quote_rune(buf, rune, spec->plus);
    pad_from(spec, buf, start, spec->zero);
}

void spec_unicode(const struct spec *spec, struct buf *buf, uint64_t rune)
{
    size_t start = buf->len;
    int least = spec->has_precision && spec->precision > 4 ? spec->precision : 4;

    buf_adds(buf, "U+");
    number_uint(buf, rune, 16, (size_t)least);
    if (!buf->full)
        to_upper(buf, start);
    if (spec->sharp && rune <= 0x10FFFF && unicode_is_print((unsigned)rune)) {
        buf_adds(buf, " '");
        buf_add_rune(buf, (unsigned)rune);
        buf_addc(buf, '\'');
    }
    pad_from(spec, buf, start, false);
}

/* ----------------------------------------------------------------------------------------------------------- floats */

/* Where the exponent begins in the printed number at `start`, or its end. 'e' is a digit of the hexadecimal forms. */
static size_t exponent_at(const struct buf *buf, size_t start, char form)
{
    bool hex = form == 'x' || form == 'X';

    for (size_t i = start; i < buf->len; i++) {
        if (strchr(hex ? "pP" : "eE", buf->data[i]))
            return i;
    }
    return buf->len;
}

/* Digits from the first one that is not zero. */
static int significant(const char *text, size_t len)
{
    int n = 0;

    for (size_t i = 0; i < len; i++)
        n += text[i] != '.' && (n > 0 || text[i] != '0');
    return n;
}

/* The flag '#': always a decimal point, and %g keeps its trailing zeros. `start` is behind the sign. */
static void keep_zeros(struct buf *buf, size_t start, char form, int precision)
{
    char tail[16];
    size_t cut, tail_len;
    int missing = 0;

    if (buf->full)
        return;
    cut = exponent_at(buf, start, form);
    tail_len = buf->len - cut;
    memcpy(tail, buf->data + cut, tail_len);
    buf_cut(buf, cut);
    if (form == 'g' || form == 'G' || form == 'x')
        missing = (precision < 0 ? 6 : precision) - significant(buf->data + start, cut - start);
    if (!memchr(buf->data + start, '.', cut - start)) {
        missing -= cut - start == 1 && buf->data[start] == '0';
        buf_addc(buf, '.');
    }
    if (missing > 0)
        add_fill(buf, (size_t)missing, '0');
    buf_add(buf, tail, tail_len);
}

/* The number is printed with its sign or none: give it the sign that the flags ask for. */
static void add_sign(const struct spec *spec, struct buf *buf, double f)
{
    if (!signbit(f) || isnan(f)) {
        if (spec->plus)
            buf_addc(buf, '+');
        else if (spec->space)
            buf_addc(buf, ' ');
    } else {
        buf_addc(buf, '-');
    }
}

static void add_infinite(const struct spec *spec, struct buf *buf, double f)
{
    size_t start = buf->len;

    if (isinf(f) && f > 0 && !spec->space)
        buf_addc(buf, '+');
    else
        add_sign(spec, buf, f);
    buf_adds(buf, isnan(f) ? "NaN" : "Inf");
    pad_from(spec, buf, start, false);
}

void spec_float(const struct spec *spec, struct buf *buf, double f, char form, int precision)
{
    size_t start = buf->len, number;

    if (!isfinite(f)) {
        add_infinite(spec, buf, f);
        return;
    }
    if (spec->has_precision)
        precision = spec->precision;
    add_sign(spec, buf, f);
    number = buf->len;
    number_float(buf, fabs(f), form, precision);
    if (spec->sharp && form != 'b')
        keep_zeros(buf, number, form, precision);
    if (spec->zero && !spec->minus && spec->has_width && number > start) {
        struct spec rest = *spec;

        rest.width = spec->width > 0 ? spec->width - 1 : 0;
        pad_from(&rest, buf, number, true);
        return;
    }
    pad_from(spec, buf, start, spec->zero);
}
