#include "base/cursor.h"

#include <string.h>

#include "base/digit.h"
#include "base/mem.h"

bool cursor_word(struct cursor *cur, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(cur->end - cur->p) < len || memcmp(cur->p, word, len) != 0)
        return false;
    cur->p += len;
    return true;
}

size_t cursor_skip(struct cursor *cur, const char *set)
{
    const char *start = cur->p;

    while (!cursor_at_end(cur) && *cur->p && strchr(set, *cur->p))
        cur->p++;
    return (size_t)(cur->p - start);
}

bool cursor_uint(struct cursor *cur, unsigned base, uint64_t max, uint64_t *ret)
{
    const char *p = cur->p;
    uint64_t value = 0;

    for (; p < cur->end && digit_value(*p) < base; p++) {
        unsigned digit = digit_value(*p);

        if (digit > max || value > (max - digit) / base)
            return false;
        value = value * base + digit;
    }
    if (p == cur->p)
        return false;
    cur->p = p;
    *ret = value;
    return true;
}

bool cursor_int(struct cursor *cur, int64_t *ret)
{
    struct cursor try = *cur;
    bool negative = cursor_char(&try, '-');
    uint64_t value;

    if (!negative)
        cursor_char(&try, '+');
    if (!cursor_uint(&try, 10, (uint64_t)INT64_MAX + negative, &value))
        return false;
    *cur = try;
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool cursor_whole_uint(const char *text, unsigned base, uint64_t max, uint64_t *ret)
{
    struct cursor cur = cursor_of(text, strlen(text));
    uint64_t value;

    if (!cursor_uint(&cur, base, max, &value) || !cursor_at_end(&cur))
        return false;
    *ret = value;
    return true;
}
