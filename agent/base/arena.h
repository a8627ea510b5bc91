/*
 * arena: one lifetime for many small things.
 *
 * Memory comes in blocks and is given back all at once; what lay in it is wiped at reset and at the end. The maximum is set at
 * birth: reaching it is an ERR_LIMIT, not a crash, and sticks: nothing more is given until arena_reset(), so that whoever built
 * many small things asks once, by arena_check(), whether they are all there. Pointers stay valid until arena_reset() or
 * arena_done(). A secret arena maps its blocks on their own pages, locked and kept out of core dumps and children; where the
 * kernel refuses the lock it goes on without (os/harden reports it once).
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

struct arena_block;

struct arena {
    struct arena_block *head; /* newest first */
    size_t used;              /* bytes handed out */
    size_t max;
    const char *what;          /* named in the ERR_LIMIT text; static storage */
    struct arena_block *first; /* memory of the caller's, see arena_init_in() */
    size_t expected;           /* of the first block; a good guess saves the next ones */
    bool secret;
    bool failed;
};

void arena_init(struct arena *arena, size_t max, const char *what);
void arena_init_secret(struct arena *arena, size_t max, const char *what);
/* The first block is `memory` of the caller's, aligned for any type; it must live as long. */
void arena_init_in(struct arena *arena, size_t max, const char *what, void *memory, size_t size);
void arena_reset(struct arena *arena);
void arena_done(struct arena *arena); /* zeroed structs are accepted */
#define _cleanup_arena_ _cleanup_(arena_done)

/* Zeroed and aligned for any type, or NULL with ERR_LIMIT. */
void *arena_alloc(struct arena *arena, size_t size, struct err *err) MUST_USE;
void *arena_array(struct arena *arena, size_t n, size_t size, struct err *err) MUST_USE;
/* NUL-terminated copy. */
char *arena_strndup(struct arena *arena, const char *s, size_t len, struct err *err) MUST_USE;
/* Make room for growing arrays: a copy of n*size bytes with room for `room` items. */
void *arena_regrow(struct arena *arena, const void *old, size_t n, size_t room, size_t size, struct err *err) MUST_USE;

/* 0, or -1 with the ERR_LIMIT of the first thing that was not given. */
int arena_check(const struct arena *arena, struct err *err) MUST_USE;

/* Bytes of locked memory the kernel refused so far, process-wide: for one log line. */
size_t arena_unlocked(void);

#endif
