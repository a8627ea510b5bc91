/*
 * decode64: base64 as the function base64Decode reads it, for other functions.
 *
 * Fails with Go's words, "illegal base64 data at input byte N", which have nothing of the text.
 */
#ifndef TPL_DECODE64_H
#define TPL_DECODE64_H

#include "base/val.h"

int decode64(struct arena *arena, struct str text, struct val *ret, struct err *err) MUST_USE;

#endif
