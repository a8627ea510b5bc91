/*
 * decimal: exact arithmetic on floats taken as the decimal numbers that they print as, so that 0.1 + 0.2 is 0.3.
 *
 * Source of the rules: shopspring/decimal, as sprig uses it. A number has at most DECIMAL_DIGITS digits; more are ERR_LIMIT. Only
 * a number that comes from one float (at most 17 digits) can be a divisor or the second factor.
 */
#ifndef GO_DECIMAL_H
#define GO_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Any sum of doubles has fewer than 650; products of a hundred long factors fit. */
#define DECIMAL_DIGITS 2500

struct decimal {
    bool negative;
    int64_t exponent;                     /* of the last digit */
    size_t len;                           /* 0 is zero */
    unsigned char digits[DECIMAL_DIGITS]; /* the first is not 0 */
};

/* Infinities and NaN fail with the library's words. */
int decimal_of_float(double f, struct decimal *ret, struct err *err) MUST_USE;
/* The nearest double; what is too large becomes an infinity. */
double decimal_float(const struct decimal *d);

/* *a becomes a + b, a - b, a × b, and a / b with 16 digits behind the point, halves rounded away from zero. */
int decimal_add(struct decimal *a, const struct decimal *b, struct err *err) MUST_USE;
int decimal_subtract(struct decimal *a, const struct decimal *b, struct err *err) MUST_USE;
int decimal_multiply(struct decimal *a, const struct decimal *b, struct err *err) MUST_USE;
int decimal_divide(struct decimal *a, const struct decimal *b, struct err *err) MUST_USE;

#endif
