#include "base/cur.h"

#include <string.h>

#include "base/mem.h"

#define TEN_YEARS_MS (INT64_C(10) * 365 * 24 * 3600 * 1000)

bool cur_word(struct cur *cur, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(cur->end - cur->p) < len || memcmp(cur->p, word, len) != 0)
        return false;
    cur->p += len;
    return true;
}

size_t cur_skip(struct cur *cur, const char *set)
{
    const char *start = cur->p;

    while (!cur_at_end(cur) && *cur->p && strchr(set, *cur->p))
        cur->p++;
    return (size_t)(cur->p - start);
}

static int digit_value(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

bool cur_uint(struct cur *cur, unsigned base, uint64_t max, uint64_t *ret)
{
    const char *p = cur->p;
    uint64_t value = 0;

    for (; p < cur->end && digit_value((unsigned char)*p) < (int)base; p++) {
        unsigned digit = (unsigned)digit_value((unsigned char)*p);

        if (digit > max || value > (max - digit) / base)
            return false;
        value = value * base + digit;
    }
    if (p == cur->p)
        return false;
    cur->p = p;
    *ret = value;
    return true;
}

bool cur_int(struct cur *cur, int64_t *ret)
{
    struct cur try = *cur;
    bool negative = cur_char(&try, '-');
    uint64_t value;

    if (!negative)
        cur_char(&try, '+');
    if (!cur_uint(&try, 10, (uint64_t)INT64_MAX + negative, &value))
        return false;
    *cur = try;
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool cur_whole_uint(const char *text, unsigned base, uint64_t max, uint64_t *ret)
{
    struct cur cur = cur_of(text, strlen(text));
    uint64_t value;

    if (!cur_uint(&cur, base, max, &value) || !cur_at_end(&cur))
        return false;
    *ret = value;
    return true;
}

static const struct unit {
    const char *name;
    double ms;
} units[] = {
    {"ns", 1e-6}, {"us", 1e-3}, {"µs", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3},
};

static bool take_unit(struct cur *cur, double *ret_ms)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (cur_word(cur, units[i].name)) {
            *ret_ms = units[i].ms;
            return true;
        }
    }
    return false;
}

/* "12", ".5" and "1.25": digits, a point, digits; at least one digit. */
static bool take_decimal(struct cur *cur, double *ret)
{
    uint64_t whole = 0;
    double value, scale = 1;
    bool any = cur_uint(cur, 10, UINT64_MAX / 16, &whole);

    value = (double)whole;
    if (cur_char(cur, '.')) {
        for (; cur_peek(cur) >= '0' && cur_peek(cur) <= '9'; cur->p++, any = true)
            value += (double)(*cur->p - '0') * (scale /= 10);
    }
    *ret = value;
    return any;
}

int cur_duration(const char *text, size_t len, int64_t *ret_ms, struct err *err)
{
    struct cur cur = cur_of(text, len);
    double total = 0, value, unit;
    bool negative = cur_char(&cur, '-');

    if (!negative)
        cur_char(&cur, '+');
    if (cur_at_end(&cur))
        return err_set(err, ERR_INPUT, "empty duration; write for example 90s, 5m or 1h30m");
    while (!cur_at_end(&cur)) {
        if (!take_decimal(&cur, &value))
            return err_set(err, ERR_INPUT, "not a duration; write for example 90s, 5m or 1h30m");
        if (cur_at_end(&cur) && total == 0)
            unit = 1e3;
        else if (!take_unit(&cur, &unit))
            return err_set(err, ERR_INPUT, "duration without a known unit (ns us ms s m h d)");
        total += value * unit;
        if (total > (double)TEN_YEARS_MS)
            return err_set(err, ERR_INPUT, "duration over ten years");
    }
    *ret_ms = (int64_t)(negative ? -total : total);
    return 0;
}
