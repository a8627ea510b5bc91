#include "base/utf8.h"

/* By the number of bytes: what the first byte must look like, and the least number of that width. */
static const struct form {
    unsigned char mask, lead;
    unsigned least;
} forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};

static bool is_rune(unsigned rune)
{
    return rune <= 0x10FFFF && (rune < 0xD800 || rune > 0xDFFF);
}

size_t utf8_decode(const char *s, size_t len, unsigned *ret)
{
    unsigned char first = len ? (unsigned char)*s : 0xFF;
    size_t width = 0;
    unsigned rune;

    while (width < 4 && (first & forms[width].mask) != forms[width].lead)
        width++;
    if (width == 4 || len < width + 1)
        return 0;
    rune = first & (unsigned char)~forms[width].mask;
    for (size_t i = 1; i <= width; i++) {
        if (((unsigned char)s[i] & 0xC0) != 0x80)
            return 0;
        rune = rune << 6 | ((unsigned char)s[i] & 0x3F);
    }
    if (rune < forms[width].least || !is_rune(rune))
        return 0;
    *ret = rune;
    return width + 1;
}

size_t utf8_put(unsigned rune, char out[4])
{
    size_t width = 0;

    if (!is_rune(rune))
        rune = UTF8_BAD;
    while (width < 3 && rune >= forms[width + 1].least)
        width++;
    for (size_t i = width; i > 0; i--, rune >>= 6)
        out[i] = (char)(0x80 | (rune & 0x3F));
    out[0] = (char)(forms[width].lead | rune);
    return width + 1;
}

bool utf8_valid(const char *s, size_t len)
{
    unsigned rune;

    for (size_t width; len > 0; s += width, len -= width) {
        width = utf8_decode(s, len, &rune);
        if (width == 0)
            return false;
    }
    return true;
}
