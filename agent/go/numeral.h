/*
 * numeral: text as numbers and truths, as Go's strconv reads them.
 *
 * Each function of a number answers NULL, or why the text is no such number in Go's words: "invalid syntax", "value out of
 * range". What is out of range leaves the nearest value in *ret; what is no number leaves 0.
 */
#ifndef GO_NUMERAL_H
#define GO_NUMERAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/val.h"

/* strconv.ParseInt and ParseUint(text, base, 64). Base 0: a prefix chooses it (0x 0b 0o 0), and underscores may stand between
 * digits. */
const char *numeral_int(struct str s, unsigned base, int64_t *ret);
const char *numeral_uint(struct str s, unsigned base, uint64_t *ret);
/* strconv.ParseFloat(text, 64): decimal, hexadecimal, infinities, NaN. */
const char *numeral_float(struct str s, double *ret);
/* strconv.ParseBool: exactly 1 t T TRUE true True 0 f F FALSE false False. What is none is false, for "invalid syntax". */
bool numeral_bool(struct str s, bool *ret);

#endif
