#include "vault/escape.h"

#include <string.h>

#include "base/digit.h"

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

static void add_escaped(struct buf *buf, const char *text, size_t len, const char *kept)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (is_plain(text[i]) || (c && strchr(kept, c))) {
            buf_addc(buf, text[i]);
            continue;
        }
        buf_addc(buf, '%');
        buf_addc(buf, digits[c >> 4]);
        buf_addc(buf, digits[c & 15]);
    }
}

void escape_path(struct buf *buf, const char *text, size_t len)
{
    add_escaped(buf, text, len, "/$&+,:;=@");
}

void escape_query(struct buf *buf, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == ' ')
            buf_addc(buf, '+');
        else
            add_escaped(buf, text + i, 1, "");
    }
}

int escape_decode(struct buf *buf, const char *text, size_t len, bool plus, struct err *err)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (c == '%') {
            int byte = digit_percent(text + i, len - i);

            if (byte < 0)
                return err_set(err, ERR_INPUT, "invalid URL escape \"%.*s\"", (int)(len - i < 3 ? len - i : 3), text + i);
            c = (char)byte;
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        buf_addc(buf, c);
    }
    return 0;
}
