/*
 * base64: RFC 4648's standard alphabet back into bytes.
 *
 * White space is skipped, padding may be missing at the end. Errors carry nothing of the text.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/buf.h"

/* Append the bytes; whether they fitted says buf_check(). ERR_INPUT with the position. */
int base64_decode(const char *text, size_t len, struct buf *buf, struct err *err) MUST_USE;

#endif
