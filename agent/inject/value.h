/*
 * value: the small grammars of annotations and flags, read as Go's libraries read them, with their error texts.
 *
 * Users search for these texts, so they are kept to the letter: strconv, time.ParseDuration, Kubernetes' quantities. Source of
 * the rules: go-secure-stdlib parseutil (an empty bool is false, an empty integer 0), Kubernetes apimachinery resource.Quantity.
 */
#ifndef INJECT_VALUE_H
#define INJECT_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/val.h"

/* Go's strconv.ParseBool (numeral_bool()); "" is false. */
int value_bool(struct str text, bool *ret, struct err *err) MUST_USE;
/* Signed decimal; "" is 0. */
int value_int(struct str text, int64_t *ret, struct err *err) MUST_USE;
/* Unsigned decimal; "" is an error. */
int value_uint(struct str text, uint64_t *ret, struct err *err) MUST_USE;
/* Go's float syntax with exponents, hexadecimal, inf and nan; "" is an error. */
int value_float(struct str text, double *ret, struct err *err) MUST_USE;
/* Go's time.ParseDuration: only whether it is one. */
int value_duration(struct str text, struct err *err) MUST_USE;
/* A Kubernetes quantity in its canonical form, which a typed client writes: 0.5 as 500m, 1024Mi as 1Gi. */
int value_quantity(struct str text, struct buf *ret, struct err *err) MUST_USE;

/* The same as a whole number of 10^-9, rounded up; false when it is none, or too long to count with. */
bool value_quantity_nanos(struct str text, __int128 *ret);

/* Go's strconv.Quote. */
void value_quote(struct buf *buf, struct str text);

#endif
