/*
 * mem: heap memory, its cleanup attributes, and wiping.
 *
 * Out of memory is fatal (one line on stderr, abort): bookkeeping is small and bounded by base/limits.h, so a failing allocation
 * means that the machine is lost. Limits, not allocation failures, are the recoverable error.
 * In the programs `free` and `realloc` themselves are wrapped at link time (mem_wrap.c), so that libraries wipe too.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <string.h>

#include "base/err.h"

/* Zeroed memory; never NULL, also for size 0. */
void *mem_alloc(size_t size) MUST_USE;
/* n * size bytes, zeroed; an overflowing product is fatal. */
void *mem_array(size_t n, size_t size) MUST_USE;
/* A new zeroed block of new_size with the old bytes, the old block wiped and freed. */
void *mem_grow(void *old, size_t old_size, size_t new_size) MUST_USE;
void mem_free(void *p);
/* Give the whole pages among freed memory back to the kernel; for the end of a burst of work. */
void mem_trim(void);
char *mem_strdup(const char *s) MUST_USE;
char *mem_strndup(const char *s, size_t len) MUST_USE;

/* Overwrite so that no compiler removes it. */
void mem_wipe(void *p, size_t len);
/* Wipe a NUL-terminated string; NULL is accepted. */
void mem_wipe_str(char *s);
/* Equal contents, in time that depends on len only. */
int mem_equal_secret(const void *a, const void *b, size_t len) MUST_USE;

/* Let ownership leave a function: the value is returned and the variable becomes NULL. */
#define steal(p)                     \
    ({                               \
        __typeof__(p) stolen_ = (p); \
        (p) = NULL;                  \
        stolen_;                     \
    })

#define _cleanup_(f) __attribute__((cleanup(f)))

/* Locals: `_cleanup_free_ char *s = …;`, `_cleanup_wipe_ char *token = …;`, `_cleanup_close_ int fd = -1;` */
void mem_cleanup_free(void *p);
void mem_cleanup_wipe(void *p);
void mem_cleanup_close(int *fd);
#define _cleanup_free_  _cleanup_(mem_cleanup_free)
#define _cleanup_wipe_  _cleanup_(mem_cleanup_wipe)
#define _cleanup_close_ _cleanup_(mem_cleanup_close)

/* For what hardly ever runs and should not slow down what does. */
#define _cold_ __attribute__((cold, noinline))

/* A large local whose owner sets what it reads: the compiler need not zero it. */
#if __has_attribute(uninitialized)
#define UNSET_AT_FIRST __attribute__((uninitialized))
#else
#define UNSET_AT_FIRST
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
