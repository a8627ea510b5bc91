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

int base64_decode(const char *text, size_t len, struct buf *buf, struct err *err)
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

void base64_encode(const void *data, size_t len, struct buf *buf)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i += 3) {
        unsigned bits = (unsigned)bytes[i] << 16;

        bits |= i + 1 < len ? (unsigned)bytes[i + 1] << 8 : 0;
        bits |= i + 2 < len ? (unsigned)bytes[i + 2] : 0;
        buf_addc(buf, digits[bits >> 18]);
        buf_addc(buf, digits[bits >> 12 & 63]);
        buf_addc(buf, i + 1 < len ? digits[bits >> 6 & 63] : '=');
        buf_addc(buf, i + 2 < len ? digits[bits & 63] : '=');
    }
}
