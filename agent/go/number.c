#include "go/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

/* A double's exact value never has more significant digits, nor more digits behind the point. */
#define DIGITS_MAX       768
#define PLACES_MAX       1074
#define WHOLE_DIGITS_MAX 309

/* --------------------------------------------------------------------------------------------------------- integers */

void number_uint(struct buf *buf, uint64_t u, unsigned base, size_t least)
{
    char text[64], *p = text + sizeof(text);
    size_t len;

    if (base == 10) {
        do
            *--p = (char)('0' + u % 10);
        while (u /= 10);
    } else {
        do
            *--p = "0123456789abcdef"[u % base];
        while (u /= base);
    }
    len = (size_t)(text + sizeof(text) - p);
    for (char *room; len < least && (room = buf_room(buf, least - len)); least = len) {
        memset(room, '0', least - len);
        buf->len += least - len;
    }
    buf_add(buf, p, len);
}

void number_int(struct buf *buf, int64_t i)
{
    buf_add_int(buf, i);
}

/* -------------------------------------------------------------------------------------- digits of a positive double */

/* 0.DDDD times ten to the power of `point`; no trailing zeros; len 0 for zero. */
struct digits {
    char d[DIGITS_MAX + 8];
    int len, point;
};

static void digits_trim(struct digits *digits)
{
    while (digits->len > 0 && digits->d[digits->len - 1] == '0')
        digits->len--;
    if (digits->len == 0)
        digits->point = 0;
}

static void digits_of_uint(struct digits *digits, uint64_t u, int places)
{
    char text[24];
    int n = 0;

    for (; u > 0; u /= 10)
        text[n++] = (char)('0' + u % 10);
    for (int i = 0; i < n; i++)
        digits->d[i] = text[n - 1 - i];
    digits->len = n;
    digits->point = n - places;
    digits_trim(digits);
}

/* Rounded to `count` digits, which glibc does exactly. */
static void digits_rounded(struct digits *digits, double f, int count)
{
    char text[DIGITS_MAX + 16];
    struct cursor cur;
    int64_t exponent = 0;
    bool negative;

    snprintf(text, sizeof(text), "%.*e", count - 1, f);
    digits->d[0] = text[0];
    if (count > 1)
        memcpy(digits->d + 1, text + 2, (size_t)count - 1);
    cur = cursor_of(text + count + (count > 1), strlen(text + count + (count > 1)));
    cursor_char(&cur, 'e');
    negative = cursor_char(&cur, '-');
    cursor_char(&cur, '+');
    cursor_int(&cur, &exponent);
    digits->len = count;
    digits->point = (int)(negative ? -exponent : exponent) + 1;
    digits_trim(digits);
}

static double digits_value(const struct digits *digits)
{
    char text[40];

    snprintf(text, sizeof(text), "0.%.*se%d", digits->len, digits->d, digits->point);
    return strtod(text, NULL);
}

/*
 * Most numbers that people write have few digits. At most one decimal number of up to 15 digits reads back to f; if there is one,
 * it is f scaled to 15 digits before the point and made whole, since both factors of the check below are exact and so the check
 * is too.
 */
static bool digits_short(struct digits *digits, double f)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const int most = (int)(sizeof(tens) / sizeof(tens[0])) - 1;
    int exponent, places;
    double scaled, whole;

    frexp(f, &exponent);
    places = 14 - (int)floor((exponent - 1) * 0.30103);
    if (places > most + 1 || places < -most)
        return false;
    places = places > most ? most : places;
    scaled = places >= 0 ? f * tens[places] : f / tens[-places];
    if (scaled >= 1e15 && places > -most) {
        places--;
        scaled = places >= 0 ? f * tens[places] : f / tens[-places];
    }
    if (scaled >= 1e15)
        return false;
    whole = (double)(uint64_t)(scaled + 0.5);
    if ((places >= 0 ? whole / tens[places] : whole * tens[-places]) != f)
        return false;
    digits_of_uint(digits, (uint64_t)whole, places);
    return true;
}

/* The next decimal number of the same length, where that is a matter of one digit. */
static bool digits_next(struct digits *digits, int count)
{
    while (digits->len < count)
        digits->d[digits->len++] = '0';
    if (digits->d[count - 1] == '9')
        return false;
    digits->d[count - 1]++;
    return true;
}

/*
 * Try lengths from below. At a power of two the numbers below are closer together than those above, so the nearest decimal may
 * miss while the next larger one of that length hits.
 */
static void digits_shortest(struct digits *digits, double f)
{
    int exponent;
    bool power_of_two = frexp(f, &exponent) == 0.5;
    /* Where a double has its full 53 bits, 15 digits are either enough or too few for every shorter form as well. */
    int count = isnormal(f) ? 15 : 1;

    if (digits_short(digits, f))
        return;
    for (;; count++) {
        digits_rounded(digits, f, count);
        if (count >= 17 || digits_value(digits) == f)
            return;
        if (power_of_two && digits_next(digits, count) && digits_value(digits) == f)
            return;
    }
}

/* -------------------------------------------------------------------------------------------------- forms of floats */

static void add_zeros(struct buf *buf, int count)
{
    char *room = count > 0 ? buf_room(buf, (size_t)count) : NULL;

    if (!room)
        return;
    memset(room, '0', (size_t)count);
    buf->len += (size_t)count;
    buf->data[buf->len] = '\0';
}

/* Digits from `from` up to `end`, zeros where there are none. */
static void add_digits(struct buf *buf, const struct digits *digits, int from, int end)
{
    int last = end < digits->len ? end : digits->len;

    if (from < 0) {
        int zeros = end < 0 ? end - from : -from;

        add_zeros(buf, zeros);
        from += zeros;
    }
    if (from < last) {
        buf_add(buf, digits->d + from, (size_t)(last - from));
        from = last;
    }
    add_zeros(buf, end - from);
}

static void add_exponent(struct buf *buf, char mark, int exponent)
{
    buf_addc(buf, mark);
    buf_addc(buf, exponent < 0 ? '-' : '+');
    number_uint(buf, (uint64_t)abs(exponent), 10, 2);
}

/* D.DDDe+XX with `places` digits behind the point. */
static void add_scientific(struct buf *buf, const struct digits *digits, int places, char mark)
{
    add_digits(buf, digits, 0, 1);
    if (places > 0) {
        buf_addc(buf, '.');
        add_digits(buf, digits, 1, places + 1);
    }
    add_exponent(buf, mark, digits->len > 0 ? digits->point - 1 : 0);
}

static void add_plain(struct buf *buf, const struct digits *digits, int places)
{
    if (digits->point > 0)
        add_digits(buf, digits, 0, digits->point);
    else
        buf_addc(buf, '0');
    if (places > 0) {
        buf_addc(buf, '.');
        add_digits(buf, digits, digits->point, digits->point + places);
    }
}

/* Go's %g keeps no trailing zeros; the exponent from which it turns scientific is the precision, or 6 for the shortest form. */
static void add_general(struct buf *buf, const struct digits *digits, int precision, bool shortest, char mark)
{
    int bound = precision, exponent = digits->point - 1;

    if (bound > digits->len && digits->len >= digits->point)
        bound = digits->len;
    if (shortest)
        bound = 6;
    if (exponent < -4 || exponent >= bound) {
        add_scientific(buf, digits, (precision < digits->len ? precision : digits->len) - 1, mark);
        return;
    }
    if (precision > digits->point)
        precision = digits->len;
    add_plain(buf, digits, precision > digits->point ? precision - digits->point : 0);
}

/* %e and %f of a precision are those of C; only zeros past the last digit that a double can have are ours. */
static void add_rounded(struct buf *buf, double f, char form, int precision)
{
    char text[WHOLE_DIGITS_MAX + PLACES_MAX + 8];
    int places = precision < PLACES_MAX ? precision : PLACES_MAX;
    size_t len = (size_t)snprintf(text, sizeof(text), (char[]){'%', '.', '*', form, '\0'}, places, f);
    const char *tail = memchr(text, form, len);
    size_t digits = tail ? (size_t)(tail - text) : len;

    buf_add(buf, text, digits);
    add_zeros(buf, precision - places);
    buf_add(buf, text + digits, len - digits);
}

static void add_shortest(struct buf *buf, double f, char form)
{
    struct digits digits;
    char lower = (char)(form | 0x20);

    digits.len = digits.point = 0;
    if (f != 0)
        digits_shortest(&digits, f);
    if (lower == 'e')
        add_scientific(buf, &digits, digits.len - 1, form);
    else if (lower == 'f')
        add_plain(buf, &digits, digits.len - digits.point);
    else
        add_general(buf, &digits, digits.len, true, (char)(form + 'e' - 'g'));
}

static void add_decimal(struct buf *buf, double f, char form, int precision)
{
    struct digits digits;

    if (precision < 0) {
        add_shortest(buf, f, form);
        return;
    }
    if (form != 'g' && form != 'G') {
        add_rounded(buf, f, form, precision);
        return;
    }
    precision = precision > 0 ? precision : 1;
    digits.len = digits.point = 0;
    if (f != 0)
        digits_rounded(&digits, f, precision < DIGITS_MAX ? precision : DIGITS_MAX);
    add_general(buf, &digits, precision, false, (char)(form + 'e' - 'g'));
}

/* ----------------------------------------------------------------------------------------------------- binary forms */

static uint64_t float_parts(double f, int *ret_exponent)
{
    uint64_t bits, mantissa;
    int exponent;

    memcpy(&bits, &f, sizeof(bits));
    mantissa = bits & ((UINT64_C(1) << 52) - 1);
    exponent = (int)(bits >> 52 & 0x7FF);
    if (exponent == 0)
        exponent = 1;
    else
        mantissa |= UINT64_C(1) << 52;
    *ret_exponent = exponent - 1023;
    return mantissa;
}

/* Mantissa and power of two in decimal: 4503599627370496p-52. */
static void add_binary(struct buf *buf, double f)
{
    int exponent;
    uint64_t mantissa = float_parts(f, &exponent);

    exponent -= 52;
    number_uint(buf, mantissa, 10, 1);
    buf_addc(buf, 'p');
    if (exponent >= 0)
        buf_addc(buf, '+');
    number_int(buf, exponent);
}

/* Round a mantissa with its leading one at bit 60 to `places` hexadecimal digits behind it, half to even. */
static uint64_t round_hex(uint64_t mantissa, int places, int *exponent)
{
    uint64_t unit, rest;

    if (places < 0 || places >= 15)
        return mantissa;
    unit = UINT64_C(1) << (60 - 4 * places);
    rest = mantissa & (unit - 1);
    mantissa &= ~(unit - 1);
    if (rest > unit / 2 || (rest == unit / 2 && (mantissa & unit)))
        mantissa += unit;
    if (mantissa >> 61) {
        mantissa >>= 1;
        ++*exponent;
    }
    return mantissa;
}

/* 0x1.yyyyp+dd: at least two digits in the exponent. */
static void add_hex(struct buf *buf, double f, char form, int precision)
{
    const char *digits = form == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
    int exponent, places = 0;
    uint64_t mantissa = float_parts(f, &exponent) << 8;

    if (mantissa == 0)
        exponent = 0;
    while (mantissa != 0 && !(mantissa >> 60)) {
        mantissa <<= 1;
        exponent--;
    }
    mantissa = round_hex(mantissa, precision, &exponent);
    buf_addc(buf, '0');
    buf_addc(buf, form);
    buf_addc(buf, (char)('0' + (mantissa >> 60 & 1)));
    for (mantissa <<= 4; precision < 0 ? mantissa != 0 : places < precision && places < 15; mantissa <<= 4) {
        if (places++ == 0)
            buf_addc(buf, '.');
        buf_addc(buf, digits[mantissa >> 60]);
    }
    add_zeros(buf, precision - places);
    add_exponent(buf, (char)(form + 'p' - 'x'), exponent);
}

void number_float(struct buf *buf, double f, char form, int precision)
{
    if (isnan(f) || isinf(f)) {
        buf_adds(buf, isnan(f) ? "NaN" : f > 0 ? "+Inf" : "-Inf");
        return;
    }
    if (signbit(f))
        buf_addc(buf, '-');
    f = fabs(f);
    if (form == 'b')
        add_binary(buf, f);
    else if (form == 'x' || form == 'X')
        add_hex(buf, f, form, precision);
    else
        add_decimal(buf, f, form, precision);
}
