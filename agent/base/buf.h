/*
 * buf: growable bytes with a maximum set at birth; may be secret.
 *
 * `data` is always NUL-terminated (a new buffer's is an empty static string until something is added).
 * Adding past the maximum adds nothing, empties the buffer and makes it full, which sticks until buf_reset(); so a row of
 * additions needs one buf_check() at its end. A full buffer that is given back, reset or taken without anybody having asked ends
 * the program in test and fuzz builds (AMPULE_STRICT): what an overflow left behind is nobody's answer. Messages are clipped
 * instead, and sizes that were reckoned are exact. Growth is new-copy-wipe-free; secret buffers are wiped on reset and at the
 * end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct buf {
    char *data;
    size_t len, cap, max;
    bool secret;
    bool full;  /* a look that counts for nothing: to leave a loop early; buf_check() and buf_overflowed() are the questions */
    bool asked; /* somebody knows that it is full */
    bool clips, exact;
    bool borrowed; /* the memory belongs to somebody else */
};

void buf_init(struct buf *buf, size_t max);
void buf_init_secret(struct buf *buf, size_t max);
/* Begins in memory of the caller's, which must live as long, and moves to the heap when that is full. */
void buf_init_secret_in(struct buf *buf, size_t max, char *memory, size_t size);
/* For messages: what does not fit is cut and ends in "...". Never full. */
void buf_init_clipped(struct buf *buf, size_t max);
/* `max` was reckoned from what is going to be added: more is a mistake of ours, and ends the program. */
void buf_init_exact(struct buf *buf, size_t max);
void buf_reset(struct buf *buf); /* empty again, memory kept */
void buf_done(struct buf *buf);  /* zeroed structs are accepted */
#define _cleanup_buf_ _cleanup_(buf_done)

void buf_add(struct buf *buf, const void *data, size_t len);
void buf_addc(struct buf *buf, char c);
void buf_add_int(struct buf *buf, int64_t i); /* decimal */
void buf_add_uint(struct buf *buf, uint64_t u);
void buf_adds(struct buf *buf, const char *s);
void buf_addf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* One code point as UTF-8; what is not one becomes U+FFFD. */
void buf_add_rune(struct buf *buf, unsigned rune);
/* Room for `len` more bytes to be written at data+len by hand; then raise `len`. NULL when full. */
char *buf_room(struct buf *buf, size_t len) MUST_USE;
/* Drop everything behind `len`. */
void buf_cut(struct buf *buf, size_t len);

/* Whether something did not fit. */
bool buf_overflowed(const struct buf *buf) MUST_USE;
/* What did not fit into a part is missing in the whole as well: true when `part` overflowed, and then `whole` does. */
bool buf_spread(struct buf *whole, const struct buf *part) MUST_USE;
/* 0, or -1 with ERR_LIMIT "WHAT: more than N bytes" when something did not fit. */
int buf_check(const struct buf *buf, const char *what, struct err *err) MUST_USE;
/* The NUL-terminated bytes, owned by the caller; the buffer is empty again. */
char *buf_take(struct buf *buf) MUST_USE;

#endif
