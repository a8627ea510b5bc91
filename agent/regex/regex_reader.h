/*
 * regex_reader: what regular expressions are spelled with: characters, escapes, classes. A cursor over the pattern, and the flags
 * that hold there.
 *
 * Functions that fail give Go's text, "error parsing regexp: WHY: `PART`"; the part is borrowed from the pattern, of which the
 * reader owns nothing. Classes are the caller's.
 */
#ifndef REGEX_REGEX_READER_H
#define REGEX_REGEX_READER_H

#include "regex/regex_class.h"

enum regex_flag {
    REGEX_FOLD = 1,        /* i */
    REGEX_MULTI_LINE = 2,  /* m */
    REGEX_DOT_NEWLINE = 4, /* s */
    REGEX_LAZY = 8,        /* U */
};

struct regex_reader {
    const char *at, *end;
    struct str pattern;
    struct err *err;
    uint8_t flags; /* enum regex_flag */
};

/* The part: given, from somewhere to the cursor, or all of the pattern. */
int regex_reader_fail_in(struct regex_reader *reader, const char *why, const char *from, const char *to);
int regex_reader_fail_from(struct regex_reader *reader, const char *why, const char *from);
int regex_reader_fail_whole(struct regex_reader *reader, const char *why);

bool regex_reader_sees(const struct regex_reader *reader, const char *text);
bool regex_reader_skip(struct regex_reader *reader, const char *text);
/* Where a text is at or behind `from`, or NULL. */
const char *regex_reader_find(const struct regex_reader *reader, const char *from, const char *text);
/* The next code point; U+FFFD at the end, where nothing is consumed. */
int regex_reader_rune(struct regex_reader *reader, uint32_t *ret) MUST_USE;
/* `from` to `to` must be UTF-8. */
int regex_reader_check(struct regex_reader *reader, const char *from, const char *to) MUST_USE;

/* A backslash and what stands for one character. */
int regex_reader_escape(struct regex_reader *reader, uint32_t *ret) MUST_USE;
/* \pN, \p{Greek}, \P{^Greek}; \d and its kin: 1 when one was there and is in the class now, 0 when not, or -1. */
int regex_reader_unicode(struct regex_reader *reader, struct regex_class *class) MUST_USE;
int regex_reader_perl(struct regex_reader *reader, struct regex_class *class) MUST_USE;
/* All of [...]. */
int regex_reader_brackets(struct regex_reader *reader, struct regex_class *class) MUST_USE;

static inline bool regex_is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

/* Of ASCII. */
static inline bool regex_is_alnum(uint32_t c)
{
    return regex_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80);
}

#endif
