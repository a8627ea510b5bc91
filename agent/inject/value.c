#include "inject/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "go/duration.h"
#include "go/numeral.h"

#define SHOWN_MAX KIB(1) /* of a wrong value in an error text, which is cut there anyway */

/* ---------------------------------------------------------------------------------------------------------- quoting */

static bool quote_byte(struct buf *buf, unsigned char c)
{
    static const char plain[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
    const char *at = c ? strchr(plain, c) : NULL;

    if (at)
        buf_addf(buf, "\\%c", letters[at - plain]);
    else if (c < ' ' || c == 0x7f)
        buf_addf(buf, "\\x%02x", c);
    else
        buf_addc(buf, (char)c);
    return true;
}

/* The blanks and marks that Go escapes among those people really paste: C1 controls, odd spaces, soft hyphen, joiners, byte-order
 * mark. */
static bool unprintable(unsigned rune)
{
    return rune < 0xa1 || rune == 0xad || (rune >= 0x2000 && rune <= 0x200f) || (rune >= 0x2028 && rune <= 0x202f) ||
           (rune >= 0x205f && rune <= 0x206f) || rune == 0x3000 || rune == 0xfeff || (rune >= 0xe000 && rune <= 0xf8ff) ||
           (rune & 0xfffe) == 0xfffe || (rune >= 0xe0000 && (rune < 0xe0100 || rune > 0xe01ef));
}

void value_quote(struct buf *buf, struct str text)
{
    size_t at = 0;

    buf_addc(buf, '"');
    while (at < text.len) {
        unsigned rune = (unsigned char)text.data[at];
        size_t width = rune < 0x80 ? 1 : utf8_decode(text.data + at, text.len - at, &rune);

        if (width == 0)
            buf_addf(buf, "\\x%02x", (unsigned char)text.data[at]);
        else if (width == 1)
            quote_byte(buf, (unsigned char)rune);
        else if (!unprintable(rune))
            buf_add(buf, text.data + at, width);
        else
            buf_addf(buf, rune < 0x10000 ? "\\u%04x" : "\\U%08x", rune);
        at += width ? width : 1;
    }
    buf_addc(buf, '"');
}

static int quoted_error(struct err *err, const char *before, struct str text, const char *after)
{
    _cleanup_buf_ struct buf quoted = {0};

    buf_init_clipped(&quoted, KIB(16));
    if (text.len > SHOWN_MAX)
        text.len = SHOWN_MAX;
    value_quote(&quoted, text);
    return err_set(err, ERR_INPUT, "%s%s%s", before, quoted.data, after);
}

/* ---------------------------------------------------------------------------------------------------------- strconv */

static int bad_number(struct err *err, const char *function, struct str text, bool range)
{
    char before[64];

    snprintf(before, sizeof(before), "strconv.%s: parsing ", function);
    return quoted_error(err, before, text, range ? ": value out of range" : ": invalid syntax");
}

int value_bool(struct str text, bool *ret, struct err *err)
{
    if (text.len == 0) {
        *ret = false;
        return 0;
    }
    if (numeral_bool(text, ret))
        return 0;
    bad_number(err, "ParseBool", text, false);
    return err_wrap(err, "cannot parse '' as bool");
}

static bool all_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return text.len > 0;
}

/* 0, or -1 with *range telling why. */
static int read_digits(struct str digits, uint64_t max, uint64_t *ret, bool *range)
{
    struct cursor cur = cursor_of(digits.data, digits.len);

    *range = all_digits(digits);
    return *range && cursor_uint(&cur, 10, max, ret) && cursor_at_end(&cur) ? 0 : -1;
}

int value_int(struct str text, int64_t *ret, struct err *err)
{
    struct str digits = text;
    uint64_t value = 0;
    bool negative = text.len && text.data[0] == '-', range;

    if (text.len == 0) {
        *ret = 0;
        return 0;
    }
    if (negative || text.data[0] == '+')
        digits = (struct str){text.data + 1, text.len - 1};
    if (read_digits(digits, negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, &value, &range) != 0)
        return bad_number(err, "ParseInt", text, range);
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return 0;
}

int value_uint(struct str text, uint64_t *ret, struct err *err)
{
    bool range;

    return read_digits(text, UINT64_MAX, ret, &range) == 0 ? 0 : bad_number(err, "ParseUint", text, range);
}

/* What strtod takes and Go does not: blanks, nan(...), hexadecimal without exponent, NUL. */
static bool is_go_float(struct str text)
{
    size_t sign = text.len && (text.data[0] == '+' || text.data[0] == '-');
    struct str rest = {text.data + sign, text.len - sign};
    bool hex = rest.len > 1 && rest.data[0] == '0' && (rest.data[1] | 0x20) == 'x';

    if (rest.len == 3 && strncasecmp(rest.data, "nan", 3) == 0)
        return sign == 0;
    if ((rest.len == 3 && strncasecmp(rest.data, "inf", 3) == 0) || (rest.len == 8 && strncasecmp(rest.data, "infinity", 8) == 0))
        return true;
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.data[i] == '\0' || !strchr(hex ? "0123456789abcdefABCDEFxX.pP+-" : "0123456789.eE+-", rest.data[i]))
            return false;
    }
    return rest.len > 0 && (!hex || memchr(rest.data, 'p', rest.len) || memchr(rest.data, 'P', rest.len));
}

int value_float(struct str text, double *ret, struct err *err)
{
    char *end;
    double value;

    if (!is_go_float(text))
        return bad_number(err, "ParseFloat", text, false);
    value = strtod(text.data, &end); /* the programs never leave the C locale; base/val strings end in NUL */
    if (end != text.data + text.len)
        return bad_number(err, "ParseFloat", text, false);
    if (isinf(value) && strpbrk(text.data, "0123456789"))
        return bad_number(err, "ParseFloat", text, true);
    *ret = value;
    return 0;
}

int value_duration(struct str text, struct err *err)
{
    int64_t nanos;

    return duration_parse(text, false, &nanos, err);
}

/* ------------------------------------------------------------------------------------------------------- quantities */

struct quantity {
    struct str digits, fraction, suffix; /* digits without leading zeros */
    bool negative;
};

static const struct suffix {
    const char *text;
    int binary, decimal; /* powers of 2 or of 10 */
} suffixes[] = {
    {"Ki", 10, 0}, {"Mi", 20, 0}, {"Gi", 30, 0}, {"Ti", 40, 0}, {"Pi", 50, 0}, {"Ei", 60, 0}, {"n", 0, -9}, {"u", 0, -6},
    {"m", 0, -3},  {"", 0, 0},    {"k", 0, 3},   {"M", 0, 6},   {"G", 0, 9},   {"T", 0, 12},  {"P", 0, 15}, {"E", 0, 18},
};

static size_t skip_digits(struct cursor *cur)
{
    return cursor_skip(cur, "0123456789");
}

static struct str take_digits(struct cursor *cur)
{
    const char *start = cur->p;

    return (struct str){start, skip_digits(cur)};
}

/* False when the whole is not of the form that the error text shows. */
static bool quantity_split(struct str text, struct quantity *q)
{
    struct cursor cur = cursor_of(text.data, text.len);
    const char *suffix;

    q->negative = cursor_char(&cur, '-');
    if (!q->negative)
        cursor_char(&cur, '+');
    cursor_skip(&cur, "0");
    q->digits = take_digits(&cur);
    q->fraction = (struct str){"", 0};
    if (cursor_char(&cur, '.'))
        q->fraction = take_digits(&cur);
    suffix = cur.p;
    cursor_skip(&cur, "eEinumkKMGTP");
    if (!cursor_at_end(&cur) && (*cur.p == '-' || *cur.p == '+'))
        cur.p++;
    skip_digits(&cur);
    q->suffix = (struct str){suffix, (size_t)(cur.p - suffix)};
    return cursor_at_end(&cur);
}

/* "e3", "E-2": an exponent of ten. */
static bool exponent_suffix(struct str s, struct suffix *ret)
{
    struct cursor cur = cursor_of(s.data + 1, s.len ? s.len - 1 : 0);
    int64_t power;

    if (s.len < 2 || (s.data[0] | 0x20) != 'e')
        return false;
    cursor_char(&cur, '+');
    if (!cursor_int(&cur, &power) || !cursor_at_end(&cur) || power > INT32_MAX || power < INT32_MIN)
        return false;
    *ret = (struct suffix){NULL, 0, (int)power};
    return true;
}

static bool suffix_find(struct str s, struct suffix *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (str_eqs(s, suffixes[i].text)) {
            *ret = suffixes[i];
            return true;
        }
    }
    return exponent_suffix(s, ret);
}

/* A whole number of 10^-9, rounded up; false when it is out of all proportion. Binary values end at int64, as upstream's do. */
static bool in_nanos(const struct quantity *q, const struct suffix *suffix, unsigned __int128 *ret)
{
    int power = suffix->decimal + 9 - (int)q->fraction.len;
    unsigned __int128 value = 0, limit = (unsigned __int128)INT64_MAX * 1000000000u;
    bool inexact = false;

    if (q->digits.len + q->fraction.len > 18 || power > 27)
        return false;
    for (size_t i = 0; i < q->digits.len; i++)
        value = value * 10 + (unsigned)(q->digits.data[i] - '0');
    for (size_t i = 0; i < q->fraction.len; i++)
        value = value * 10 + (unsigned)(q->fraction.data[i] - '0');
    if (suffix->binary && value >> (126 - suffix->binary))
        return false;
    for (value <<= suffix->binary; power < 0 && value; power++) {
        inexact |= value % 10 != 0;
        value /= 10;
    }
    for (value += inexact; power > 0 && value; power--) {
        if (value > ((unsigned __int128)1 << 122))
            return false;
        value *= 10;
    }
    *ret = suffix->binary && value > limit ? limit : value;
    return true;
}

static void add_number(struct buf *ret, unsigned __int128 n)
{
    const uint64_t part = UINT64_C(1000000000000000000);

    if (n >= part) {
        add_number(ret, n / part);
        buf_addf(ret, "%018" PRIu64, (uint64_t)(n % part));
    } else {
        buf_addf(ret, "%" PRIu64, (uint64_t)n);
    }
}

static void add_decimal(struct buf *ret, unsigned __int128 nanos, bool as_exponent)
{
    int power = -9;

    for (; nanos % 10 == 0; power++)
        nanos /= 10;
    for (; power % 3 != 0; power--)
        nanos *= 10;
    add_number(ret, nanos);
    if (as_exponent && power) {
        buf_addf(ret, "e%d", power);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (!suffixes[i].binary && suffixes[i].decimal == power)
            buf_adds(ret, suffixes[i].text);
    }
}

static void add_binary(struct buf *ret, unsigned __int128 value)
{
    static const char *const names[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    size_t unit = 0;

    for (; value % 1024 == 0 && unit + 1 < ARRAY_LEN(names); unit++)
        value /= 1024;
    add_number(ret, value);
    buf_adds(ret, names[unit]);
}

/* 0.5 is written 500m, 0.5Mi 512Ki; binary units only for whole numbers from 1024 on. */
static void canonical(struct buf *ret, const struct quantity *q, const struct suffix *suffix, unsigned __int128 nanos)
{
    const unsigned nano = 1000000000u;

    if (nanos == 0) {
        buf_addc(ret, '0');
        return;
    }
    if (q->negative)
        buf_addc(ret, '-');
    if (suffix->binary && nanos % nano == 0 && nanos / nano >= 1024)
        add_binary(ret, nanos / nano);
    else
        add_decimal(ret, nanos, suffix->text == NULL);
}

/* The value modulo eight. */
static unsigned last_bits(struct str digits)
{
    unsigned value = 0;

    for (size_t i = 0; i < digits.len; i++)
        value = value * 10 + (unsigned)(digits.data[i] - '0');
    return value & 7;
}

static bool ends_in_zeros(const struct quantity *q)
{
    struct str end = q->fraction.len >= 3 ? q->fraction : q->digits;

    return end.len >= 3 && memcmp(end.data + end.len - 3, "000", 3) == 0;
}

/* What Kubernetes finds short enough stays as it was written: "1E3", "+1", "1.234". */
static bool stays(const struct quantity *q, const struct suffix *suffix)
{
    size_t len = q->digits.len + q->fraction.len;
    int scale = suffix->decimal - (int)q->fraction.len;

    if (q->digits.len == 0)
        return false;
    if (suffix->binary)
        return q->fraction.len == 0 && (int)len + suffix->binary * 3 / 10 <= 14 && last_bits(q->digits) != 0;
    return len <= 18 && scale >= -9 && scale % 3 == 0 && !ends_in_zeros(q);
}

int value_quantity(struct str text, struct buf *ret, struct err *err)
{
    enum { CANONICAL_MAX = 64 }; /* sign, digits and point of 128 bits, suffix */
    struct quantity q;
    struct suffix suffix;
    unsigned __int128 nanos;

    if (text.len == 0 || !quantity_split(text, &q))
        return err_set(err, ERR_INPUT,
                       "quantities must match the regular expression "
                       "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    if (!suffix_find(q.suffix, &suffix))
        return err_set(err, ERR_INPUT, "unable to parse quantity's suffix");
    buf_init_exact(ret, text.len + CANONICAL_MAX);
    if (!stays(&q, &suffix) && in_nanos(&q, &suffix, &nanos))
        canonical(ret, &q, &suffix, nanos);
    else
        buf_add(ret, text.data, text.len);
    return 0;
}

bool value_quantity_nanos(struct str text, __int128 *ret)
{
    struct quantity q;
    struct suffix suffix;
    unsigned __int128 nanos;

    if (text.len == 0 || !quantity_split(text, &q) || !suffix_find(q.suffix, &suffix) || !in_nanos(&q, &suffix, &nanos))
        return false;
    *ret = q.negative ? -(__int128)nanos : (__int128)nanos;
    return true;
}
