/*
 * cur: a cursor over bytes for small grammars (durations, octal modes, header lines).
 *
 * Every function takes one thing and advances only when it was there. The bytes are borrowed and need no NUL.
 */
#ifndef BASE_CUR_H
#define BASE_CUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct cur {
    const char *p, *end;
};

static inline struct cur cur_of(const char *data, size_t len)
{
    return (struct cur){data, data + len};
}

static inline bool cur_at_end(const struct cur *cur)
{
    return cur->p == cur->end;
}

/* The byte at the cursor, or -1 at the end. */
static inline int cur_peek(const struct cur *cur)
{
    return cur_at_end(cur) ? -1 : (unsigned char)*cur->p;
}

static inline bool cur_char(struct cur *cur, char c)
{
    if (cur_peek(cur) != (unsigned char)c)
        return false;
    cur->p++;
    return true;
}

bool cur_word(struct cur *cur, const char *word);
/* Any number of the bytes in `set`; returns how many. */
size_t cur_skip(struct cur *cur, const char *set);
/* Digits in `base` (2 to 16) up to `max`; false when there is none or it is larger. */
bool cur_uint(struct cur *cur, unsigned base, uint64_t max, uint64_t *ret);
bool cur_int(struct cur *cur, int64_t *ret); /* decimal, optional sign */

/*
 * A duration as Vault's configuration writes it: Go's form ("1h30m", "250ms"), days ("7d"), or bare seconds ("90").
 * Result in milliseconds, at most ten years. Source: go-secure-stdlib parseutil.ParseDurationSecond.
 */
int cur_duration(const char *text, size_t len, int64_t *ret_ms, struct err *err) MUST_USE;

/* The whole text as one unsigned number; false for signs, blanks, trailing bytes, overflow. */
bool cur_whole_uint(const char *text, unsigned base, uint64_t max, uint64_t *ret);

#endif
