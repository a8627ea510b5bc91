/*
 * number: integers and floating-point numbers as Go's strconv writes them.
 *
 * Appends to a buffer; fails only by the buffer's maximum. Floats are exact: the shortest form has the fewest digits that read
 * back to the same number, the nearest of them to it; a given precision rounds the exact value half to even.
 */
#ifndef GO_NUMBER_H
#define GO_NUMBER_H

#include <stdint.h>

#include "base/buf.h"

#define NUMBER_SHORTEST (-1) /* as a precision: as many digits as needed */

/* Base 2, 8, 10 or 16 with lower-case digits, at least `least` of them. */
void number_uint(struct buf *buf, uint64_t u, unsigned base, size_t least);
void number_int(struct buf *buf, int64_t i);

/*
 * strconv.AppendFloat(…, form, precision, 64): form is one of b e E f g G x X. Infinities are "+Inf" and "-Inf".
 * Source: Go's strconv.FormatFloat.
 */
void number_float(struct buf *buf, double f, char form, int precision);

#endif
