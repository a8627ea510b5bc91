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
