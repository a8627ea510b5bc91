#include "go/numeral.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digit.h"

static const char bad[] = "invalid syntax", large[] = "value out of range";

static bool has_sign(struct str s)
{
    return s.len && (s.data[0] == '-' || s.data[0] == '+');
}

/* Underscores stand between digits, or between a prefix and a digit. Source: strconv.underscoreOK. */
static bool underscores_fit(struct str s)
{
    char saw = '^';
    bool hex = false;
    size_t i = 0;

    if (has_sign(s))
        s.data++, s.len--;
    if (s.len >= 2 && s.data[0] == '0' && strchr("box", s.data[1] | 0x20)) {
        hex = (s.data[1] | 0x20) == 'x';
        saw = '0';
        i = 2;
    }
    for (; i < s.len; i++) {
        char c = s.data[i];

        if (digit_value(c) < (hex ? 16 : 10))
            saw = '0';
        else if (c == '_' ? saw != '0' : saw == '_')
            return false;
        else
            saw = c == '_' ? '_' : '!';
    }
    return saw != '_';
}

/* --------------------------------------------------------------------------------------------------------- integers */

/* What the prefix says, and the text behind it. */
static unsigned prefix_base(struct str *s)
{
    char prefix = s->len >= 3 ? s->data[1] | 0x20 : 0;
    unsigned base = prefix == 'b' ? 2 : prefix == 'x' ? 16 : 8, skip;

    if (s->data[0] != '0')
        return 10;
    skip = base == 8 && prefix != 'o' ? 1 : 2;
    s->data += skip;
    s->len -= skip;
    return base;
}

const char *numeral_uint(struct str s, unsigned base, uint64_t *ret)
{
    struct str whole = s;
    bool prefixed = base == 0, overflow = false;
    uint64_t u = 0;

    *ret = 0;
    if (s.len == 0)
        return bad;
    if (prefixed)
        base = prefix_base(&s);
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = digit_value(s.data[i]);

        if (s.data[i] == '_' && prefixed)
            continue;
        if (digit >= base)
            return bad;
        overflow = overflow || __builtin_mul_overflow(u, base, &u) || __builtin_add_overflow(u, digit, &u);
        if (overflow) {
            *ret = UINT64_MAX;
            return large; /* Go looks no further either */
        }
    }
    if (prefixed && !underscores_fit(whole))
        return bad;
    *ret = u;
    return NULL;
}

const char *numeral_int(struct str s, unsigned base, int64_t *ret)
{
    bool negative = s.len && s.data[0] == '-';
    uint64_t u, most = (uint64_t)INT64_MAX + negative;
    const char *why;

    if (has_sign(s))
        s.data++, s.len--;
    why = numeral_uint(s, base, &u);
    if ((!why || why == large) && u > most) {
        u = most;
        why = large;
    }
    *ret = negative ? (int64_t)-u : (int64_t)u;
    return why;
}

/* ----------------------------------------------------------------------------------------------------------- floats */

static size_t skip_digits(struct str s, size_t i, unsigned base, size_t *ret_digits)
{
    for (; i < s.len && (s.data[i] == '_' || digit_value(s.data[i]) < base); i++)
        *ret_digits += s.data[i] != '_';
    return i;
}

/* Is it one of Go's floating-point literals, whole numbers included? Hexadecimal ones need their exponent. */
static bool is_float(struct str s)
{
    size_t i = has_sign(s), digits = 0, exponent = 0;
    bool hex = i + 2 < s.len && s.data[i] == '0' && (s.data[i + 1] | 0x20) == 'x';

    i = skip_digits(s, hex ? i + 2 : i, hex ? 16 : 10, &digits);
    if (i < s.len && s.data[i] == '.')
        i = skip_digits(s, i + 1, hex ? 16 : 10, &digits);
    if (digits == 0)
        return false;
    if (i == s.len)
        return !hex && underscores_fit(s);
    if ((s.data[i] | 0x20) != (hex ? 'p' : 'e'))
        return false;
    i += 1 + has_sign((struct str){s.data + i + 1, s.len - i - 1});
    if (i == s.len || s.data[i] == '_')
        return false;
    return skip_digits(s, i, 10, &exponent) == s.len && underscores_fit(s);
}

/* inf, infinity with or without a sign, nan without one, in any case. */
static bool special_float(struct str s, double *ret)
{
    static const char *const infinities[] = {"inf", "infinity"};
    size_t sign = has_sign(s);

    for (size_t i = 0; i < 2; i++) {
        if (s.len - sign == strlen(infinities[i]) && strncasecmp(s.data + sign, infinities[i], s.len - sign) == 0) {
            *ret = s.data[0] == '-' ? -INFINITY : INFINITY;
            return true;
        }
    }
    if (s.len != 3 || strncasecmp(s.data, "nan", 3) != 0)
        return false;
    *ret = NAN;
    return true;
}

const char *numeral_float(struct str s, double *ret)
{
    _cleanup_wipe_ char *digits = NULL;
    size_t len = 0;

    *ret = 0;
    if (special_float(s, ret))
        return NULL;
    if (!is_float(s))
        return bad;
    digits = mem_alloc(s.len + 1);
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != '_')
            digits[len++] = s.data[i];
    }
    *ret = strtod(digits, NULL);
    return isinf(*ret) ? large : NULL;
}

bool numeral_bool(struct str s, bool *ret)
{
    static const char *const words[][2] = {{"0", "1"},        {"f", "t"},        {"F", "T"},
                                           {"false", "true"}, {"FALSE", "TRUE"}, {"False", "True"}};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        for (int on = 0; on < 2; on++) {
            if (str_eqs(s, words[i][on])) {
                *ret = on;
                return true;
            }
        }
    }
    return false;
}
