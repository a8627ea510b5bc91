/*
 * digit: the value of one digit in every base up to 36, and of the two behind a % in a URL.
 */
#ifndef BASE_DIGIT_H
#define BASE_DIGIT_H

#include <stddef.h>

#define DIGIT_NONE 36u /* of no digit: not less than any base */

/* '0' is 0, 'a' and 'A' are 10, 'z' and 'Z' are 35. `c` is a byte, signed or not, or -1. */
static inline unsigned digit_value(int c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a' + 10) : DIGIT_NONE;
}

/* The byte that an escape at `text` stands for ("%41": 65), or -1 where there is none. */
static inline int digit_percent(const char *text, size_t len)
{
    if (len < 3 || text[0] != '%' || digit_value(text[1]) >= 16 || digit_value(text[2]) >= 16)
        return -1;
    return (int)(digit_value(text[1]) * 16 + digit_value(text[2]));
}

#endif
