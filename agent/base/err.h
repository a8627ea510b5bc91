/*
 * err: why something failed, by value, without allocation.
 *
 * The last parameter of every function that can fail is a `struct err *`. Success leaves it untouched; failure fills it and
 * returns -1, and err_set() returns that -1 so that a failing branch is one line.
 * The code tells the caller what it may do; the text names the object and the way out.
 * Rule: a text is built from positions, names, types and lengths, never from secret data.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#define MUST_USE               __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define ERR_TEXT_MAX 1024 /* longer texts are cut and end in "..." */

enum err_code {
    ERR_NONE,
    ERR_RETRY,   /* may work later: network, server busy, not there yet */
    ERR_DENIED,  /* the other side refused: credentials, policy, permission */
    ERR_MISSING, /* the named object does not exist */
    ERR_LIMIT,   /* a maximum of base/limits.h was reached */
    ERR_INPUT,   /* what was given is wrong and stays wrong: syntax, type, value */
    ERR_SYSTEM,  /* the kernel said no: disk full, read-only, descriptor limit */
};

struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX];
};

/* Fill `err` and return -1. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
int err_vset(struct err *err, enum err_code code, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);

/* There is none any more, nor its text. */
static inline void err_clear(struct err *err)
{
    err->code = ERR_NONE;
    err->text[0] = '\0';
}

/* As err_set() with ": " and the text of the current errno behind it. */
int err_system(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Put a context in front ("context: text"), keep the code, return -1. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Put "FILE:LINE:COLUMN: " in front, as compilers do; returns -1. */
int err_at(struct err *err, const char *file, unsigned line, unsigned column);

/* "retry", "denied", … for logs. */
const char *err_name(enum err_code code);

#endif
