#include "go/decimal.h"

#include <math.h>
#include <string.h>

#include "go/number.h"
#include "go/numeral.h"

#define PLACES 16 /* of a quotient, decimal.DivisionPrecision */

static int fail_digits(struct err *err)
{
    return err_set(err, ERR_LIMIT, "a number of more than %d digits", DECIMAL_DIGITS);
}

static void trim(struct decimal *d)
{
    size_t zeros = 0;

    while (zeros < d->len && d->digits[zeros] == 0)
        zeros++;
    d->len -= zeros;
    memmove(d->digits, d->digits + zeros, d->len);
    if (d->len == 0)
        d->negative = false;
}

int decimal_of_float(double f, struct decimal *ret, struct err *err)
{
    _cleanup_buf_ struct buf text;
    const char *p;
    int exponent = 0, sign;

    buf_init_exact(&text, 64);
    number_float(&text, f, isfinite(f) ? 'e' : 'g', NUMBER_SHORTEST);
    if (!isfinite(f))
        return err_set(err, ERR_INPUT, "Cannot create a Decimal from %s", text.data);
    *ret = (struct decimal){.negative = text.data[0] == '-'};
    for (p = text.data; *p != 'e'; p++) {
        if (*p >= '0' && *p <= '9')
            ret->digits[ret->len++] = (unsigned char)(*p - '0');
    }
    sign = p[1] == '-' ? -1 : 1;
    for (p += 2; *p; p++)
        exponent = exponent * 10 + (*p - '0');
    ret->exponent = sign * exponent - (int64_t)ret->len + 1;
    trim(ret);
    if (ret->len == 0)
        ret->exponent = 0;
    return 0;
}

double decimal_float(const struct decimal *d)
{
    _cleanup_buf_ struct buf text;
    double f = 0;

    buf_init_exact(&text, DECIMAL_DIGITS + 64);
    buf_adds(&text, d->negative ? "-" : "");
    for (size_t i = 0; i < d->len; i++)
        buf_addc(&text, (char)('0' + d->digits[i]));
    if (d->len > 0) {
        buf_addf(&text, "e%lld", (long long)d->exponent);
        numeral_float((struct str){text.data, text.len}, &f);
    }
    return f;
}

/* Zeros behind the last digit. */
static int shift(struct decimal *d, int64_t zeros, struct err *err)
{
    if (zeros > (int64_t)(DECIMAL_DIGITS - d->len))
        return fail_digits(err);
    memset(d->digits + d->len, 0, (size_t)zeros);
    d->len += (size_t)zeros;
    d->exponent -= zeros;
    return 0;
}

/* Both have the same exponent. */
static int compare(const struct decimal *a, const struct decimal *b)
{
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(a->digits, b->digits, a->len);
}

/* large ± small by digits, both without signs, into *ret; `small` is not larger when subtracted. */
static int combine(const struct decimal *large, const struct decimal *small, int sign, struct decimal *ret, struct err *err)
{
    int carry = 0;

    if (large->len + 1 > DECIMAL_DIGITS)
        return fail_digits(err);
    ret->len = large->len + 1;
    ret->exponent = large->exponent;
    for (size_t i = 0; i < ret->len; i++) {
        int digit = i < large->len ? large->digits[large->len - 1 - i] : 0;

        digit += carry + sign * (i < small->len ? small->digits[small->len - 1 - i] : 0);
        carry = digit < 0 ? -1 : digit / 10;
        ret->digits[ret->len - 1 - i] = (unsigned char)(digit - carry * 10);
    }
    trim(ret);
    return 0;
}

static int add(struct decimal *a, const struct decimal *b, bool subtract, struct err *err)
{
    struct decimal other = *b, sum = {0};
    bool swap;

    other.negative = b->negative != subtract;
    if (shift(a, a->exponent > other.exponent ? a->exponent - other.exponent : 0, err) != 0 ||
        shift(&other, other.exponent > a->exponent ? other.exponent - a->exponent : 0, err) != 0)
        return -1;
    trim(a);
    trim(&other);
    swap = compare(a, &other) < 0;
    sum.negative = swap ? other.negative : a->negative;
    if (combine(swap ? &other : a, swap ? a : &other, a->negative == other.negative ? 1 : -1, &sum, err) != 0)
        return -1;
    *a = sum;
    return 0;
}

int decimal_add(struct decimal *a, const struct decimal *b, struct err *err)
{
    return add(a, b, false, err);
}

int decimal_subtract(struct decimal *a, const struct decimal *b, struct err *err)
{
    return add(a, b, true, err);
}

/* The digits as one number; at most 17 of them. */
static uint64_t coefficient(const struct decimal *d)
{
    uint64_t n = 0;

    for (size_t i = 0; i < d->len; i++)
        n = n * 10 + d->digits[i];
    return n;
}

int decimal_multiply(struct decimal *a, const struct decimal *b, struct err *err)
{
    uint64_t factor = coefficient(b), carry = 0;
    struct decimal product = {.negative = a->negative != b->negative, .exponent = a->exponent + b->exponent};

    product.len = a->len + b->len;
    if (product.len > DECIMAL_DIGITS)
        return fail_digits(err);
    for (size_t i = 0; i < product.len; i++) {
        carry += i < a->len ? a->digits[a->len - 1 - i] * factor : 0;
        product.digits[product.len - 1 - i] = (unsigned char)(carry % 10);
        carry /= 10;
    }
    trim(&product);
    *a = product;
    return 0;
}

/* Long division; returns nothing of the remainder. */
static void divide_digits(struct decimal *a, uint64_t divisor)
{
    uint64_t rest = 0;

    for (size_t i = 0; i < a->len; i++) {
        rest = rest * 10 + a->digits[i];
        a->digits[i] = (unsigned char)(rest / divisor);
        rest %= divisor;
    }
    trim(a);
}

/* One place more than wanted is computed: it says how to round. */
int decimal_divide(struct decimal *a, const struct decimal *b, struct err *err)
{
    static const struct decimal one = {.exponent = -PLACES, .len = 1, .digits = {1}};
    int64_t zeros = a->exponent - b->exponent + PLACES + 1;
    bool negative = a->negative != b->negative, up;

    if (b->len == 0)
        return err_set(err, ERR_INPUT, "decimal division by 0");
    if (zeros < 0)
        a->len = (int64_t)a->len > -zeros ? a->len - (size_t)-zeros : 0;
    else if (shift(a, zeros, err) != 0)
        return -1;
    a->negative = false;
    divide_digits(a, coefficient(b));
    up = a->len > 0 && a->digits[a->len - 1] >= 5;
    a->len -= a->len > 0;
    a->exponent = -PLACES;
    if (up && decimal_add(a, &one, err) != 0)
        return -1;
    a->negative = negative && a->len > 0;
    return 0;
}
