#include "base/base64.h"

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '/')
        return c == '+' ? 62 : 63;
    return -1;
}

static int decode(const char *text, size_t len, struct buf *buf, struct err *err)
{
    unsigned bits = 0, count = 0, padding = 0;

    for (size_t i = 0; i < len; i++) {
        int value = digit(text[i]);

        if (memchr(" \t\r\n", text[i], 4))
            continue;
        padding += text[i] == '=';
        if ((value < 0 || padding > 0) && text[i] != '=')
            return err_set(err, ERR_INPUT, "not base64 at byte %zu", i + 1);
        if (value < 0)
            continue;
        bits = bits << 6 | (unsigned)value;
        if (++count % 4 != 1)
            buf_addc(buf, (char)(bits >> (6 - 2 * ((count - 1) % 4)) & 0xFF));
    }
    if (count % 4 == 1 || padding > 2)
        return err_set(err, ERR_INPUT, "base64 that ends too early");
    return 0;
}

int base64_decode(const char *text, size_t len, struct buf *buf, struct err *err)
{
    int r = decode(text, len, buf, err);

    return buf_check(buf, "decoded base64", err) != 0 ? -1 : r;
}

void base64_encode(const void *data, size_t len, struct buf *buf)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = data;
    size_t whole = len - len % 3, rest = len - whole;
    char *out = buf_room(buf, (len + 2) / 3 * 4);
    unsigned last;

    if (!out)
        return;
    buf->len += (len + 2) / 3 * 4;
    for (size_t i = 0; i < whole; i += 3, out += 4) {
        unsigned bits = (unsigned)bytes[i] << 16 | (unsigned)bytes[i + 1] << 8 | bytes[i + 2];

        out[0] = digits[bits >> 18];
        out[1] = digits[bits >> 12 & 63];
        out[2] = digits[bits >> 6 & 63];
        out[3] = digits[bits & 63];
    }
    if (rest) {
        last = (unsigned)bytes[whole] << 16 | (rest == 2 ? (unsigned)bytes[whole + 1] << 8 : 0);
        out[0] = digits[last >> 18];
        out[1] = digits[last >> 12 & 63];
        out[2] = rest == 2 ? digits[last >> 6 & 63] : '=';
        out[3] = '=';
    }
    buf->data[buf->len] = '\0';
}
