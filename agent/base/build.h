/*
 * build: how readers put lists and maps together.
 *
 * Members of everything that is still open lie on one stack; what closes moves its own to the
 * arena. So every node is copied once, however the document is shaped, and the two limits
 * (LIMIT_DEPTH, LIMIT_MEMBERS) stand in one place. The stack is wiped at the end.
 */
#ifndef BASE_BUILD_H
#define BASE_BUILD_H

#include <stddef.h>

#include "base/arena.h"
#include "base/val.h"

#define BUILD_KNOWN 64

struct build {
    struct arena *arena;
    struct val_pair *stack;
    size_t used, room, members, members_most;
    unsigned depth;
    const struct val *known[BUILD_KNOWN]; /* keys by hash: documents say the same few again and again */
};

/* Of at most LIMIT_MEMBERS; who knows better lowers `members_most`. */
void build_init(struct build *build, struct arena *arena);
void build_done(struct build *build);

/* Open a list or map; the mark is given back when it closes. ERR_LIMIT "exceeded max depth". */
int build_open(struct build *build, size_t *ret_mark, struct err *err) MUST_USE;
/* Add a member to what was opened last; lists have no key (NULL), others must last as long as the arena. ERR_LIMIT. */
int build_push(struct build *build, const struct val *key, const struct val *value, struct err *err) MUST_USE;
/* The same with a copy of the key. */
int build_push_copy(struct build *build, const struct val *key, const struct val *value, struct err *err) MUST_USE;
/* A key of that text, which is copied unless an equal one is known: it has no place of its own. NULL: ERR_LIMIT. */
const struct val *build_key(struct build *build, struct str text, struct err *err);
/* The members since `mark`: for sorting and folding before the map closes. */
struct val_pair *build_members(struct build *build, size_t mark, size_t *ret_len);
/* Forget the members behind the first `len` since `mark`. */
void build_keep(struct build *build, size_t mark, size_t len);
int build_list(struct build *build, size_t mark, struct val *ret, struct err *err) MUST_USE;
/* The members as they lie: sort them first. */
int build_map(struct build *build, size_t mark, struct val *ret, struct err *err) MUST_USE;

#endif
