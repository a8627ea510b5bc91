/*
 * der: writing ASN.1's distinguished encoding into a buffer, and walking through what was written.
 *
 * A constructed value is opened, filled, and closed, which puts its length in. Fails only by the buffer's maximum: see
 * buf_check().
 */
#ifndef GO_DER_H
#define GO_DER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BITS = 0x03,
    DER_OCTETS = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTF8 = 0x0C,
    DER_PRINTABLE = 0x13,
    DER_UTC_TIME = 0x17,
    DER_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT = 0x80,    /* [0], primitive */
    DER_CONTEXT_IN = 0xA0, /* [0], constructed */
};

/* Where the content begins, for der_close(). */
size_t der_open(struct buf *buf, unsigned tag);
void der_close(struct buf *buf, size_t content);
void der_add(struct buf *buf, unsigned tag, const void *data, size_t len);
/* A number that is not negative, as big-endian bytes of any length; shortened, or given a zero in front. */
void der_add_number(struct buf *buf, const unsigned char *bytes, size_t len);
/* Whole bytes. */
void der_add_bits(struct buf *buf, const void *data, size_t len);

/* The value at the front of *data: its tag and content; *data goes on behind it. False when there is none or it is cut off. */
bool der_next(const unsigned char **data, size_t *len, unsigned *ret_tag, const unsigned char **ret, size_t *ret_len);

#endif
