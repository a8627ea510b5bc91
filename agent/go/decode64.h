/*
 * decode64: base64 as Go's encoding/base64 reads it.
 *
 * Fails with Go's words, "illegal base64 data at input byte N", which have nothing of the text.
 */
#ifndef GO_DECODE64_H
#define GO_DECODE64_H

#include "base/val.h"

/* The last two of the 64 digits are an alphabet's own. */
#define DECODE64_STANDARD "+/"
#define DECODE64_URL      "-_"

/* The bytes into *ret, a string of the arena. */
int decode64(struct arena *arena, struct str text, struct val *ret, struct err *err) MUST_USE;
/* The same, for those to whom bad text is no failure: *ret_bad is where it is bad, or behind its end. */
int decode64_part(struct arena *arena, struct str text, const char *last, struct val *ret, size_t *ret_bad, struct err *err)
    MUST_USE;

#endif
