/*
 * base64: bytes in RFC 4648's standard alphabet, and back.
 *
 * Reading skips white space, and padding may be missing at the end. Errors carry nothing of the text.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/buf.h"

/* Append the bytes. ERR_INPUT with the position, ERR_LIMIT when the buffer is full. */
int base64_decode(const char *text, size_t len, struct buf *buf, struct err *err) MUST_USE;
/* Append the text, padded, on one line. */
void base64_encode(const void *data, size_t len, struct buf *buf);

#endif
