/*
 * cursor: a cursor over bytes for small grammars (octal modes, header lines).
 *
 * Every function takes one thing and advances only when it was there. The bytes are borrowed and need no NUL.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct cursor {
    const char *p, *end;
};

static inline struct cursor cursor_of(const char *data, size_t len)
{
    return (struct cursor){data, data + len};
}

static inline bool cursor_at_end(const struct cursor *cur)
{
    return cur->p == cur->end;
}

/* The byte at the cursor, or -1 at the end. */
static inline int cursor_peek(const struct cursor *cur)
{
    return cursor_at_end(cur) ? -1 : (unsigned char)*cur->p;
}

static inline bool cursor_char(struct cursor *cur, char c)
{
    if (cursor_peek(cur) != (unsigned char)c)
        return false;
    cur->p++;
    return true;
}

bool cursor_word(struct cursor *cur, const char *word);
/* Any number of the bytes in `set`; returns how many. */
size_t cursor_skip(struct cursor *cur, const char *set);
/* Digits in `base` (2 to 16) up to `max`; false when there is none or it is larger. */
bool cursor_uint(struct cursor *cur, unsigned base, uint64_t max, uint64_t *ret);
bool cursor_int(struct cursor *cur, int64_t *ret); /* decimal, optional sign */

/* The whole text as one unsigned number; false for signs, blanks, trailing bytes, overflow. */
bool cursor_whole_uint(const char *text, unsigned base, uint64_t max, uint64_t *ret);

#endif
