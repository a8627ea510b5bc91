#include "go/der.h"

#include <string.h>

size_t der_open(struct buf *buf, unsigned tag)
{
    buf_addc(buf, (char)tag);
    return buf->len;
}

/* Up to 127 the length is one byte, else bytes of it behind their number. */
static size_t encode_length(size_t len, unsigned char out[1 + sizeof(len)])
{
    size_t n = 0;

    if (len < 0x80) {
        out[0] = (unsigned char)len;
        return 1;
    }
    for (size_t rest = len; rest > 0; rest >>= 8)
        n++;
    out[0] = (unsigned char)(0x80 | n);
    for (size_t i = 0; i < n; i++)
        out[1 + i] = (unsigned char)(len >> 8 * (n - 1 - i));
    return 1 + n;
}

void der_close(struct buf *buf, size_t content)
{
    unsigned char length[1 + sizeof(size_t)];
    size_t len = buf->len - content, n;

    if (buf->full)
        return;
    n = encode_length(len, length);
    buf_add(buf, length, n); /* room, that is */
    if (buf->full)
        return;
    memmove(buf->data + content + n, buf->data + content, len);
    memcpy(buf->data + content, length, n);
}

void der_add(struct buf *buf, unsigned tag, const void *data, size_t len)
{
    size_t content = der_open(buf, tag);

    buf_add(buf, data, len);
    der_close(buf, content);
}

void der_add_number(struct buf *buf, const unsigned char *bytes, size_t len)
{
    size_t content = der_open(buf, DER_INTEGER);

    while (len > 0 && bytes[0] == 0) {
        bytes++;
        len--;
    }
    if (len == 0 || bytes[0] >= 0x80)
        buf_addc(buf, '\0');
    buf_add(buf, bytes, len);
    der_close(buf, content);
}

void der_add_bits(struct buf *buf, const void *data, size_t len)
{
    size_t content = der_open(buf, DER_BITS);

    buf_addc(buf, '\0');
    buf_add(buf, data, len);
    der_close(buf, content);
}

bool der_next(const unsigned char **data, size_t *len, unsigned *ret_tag, const unsigned char **ret, size_t *ret_len)
{
    const unsigned char *p = *data, *end = p + *len;
    size_t n, content;

    if (*len < 2)
        return false;
    n = p[1] < 0x80 ? 0 : (size_t)(p[1] & 0x7F);
    content = n == 0 ? p[1] : 0;
    if ((p[1] >= 0x80 && n == 0) || n > 4 || (size_t)(end - p) < 2 + n)
        return false;
    for (size_t i = 0; i < n; i++)
        content = content << 8 | p[2 + i];
    if ((size_t)(end - p) - 2 - n < content)
        return false;
    *ret_tag = p[0];
    *ret = p + 2 + n;
    *ret_len = content;
    *data = p + 2 + n + content;
    *len = (size_t)(end - *data);
    return true;
}
