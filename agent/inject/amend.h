/*
 * amend: a pod's own RFC 6902 patch on one of the agent's containers.
 *
 * Errors are those of the library that upstream uses, since users search for them. Negative array indices are allowed, as there.
 * The result is written as a typed client would, without what is empty; fields that nobody here knows survive.
 * A few operations can ask for any amount of copies: every byte that the library allocates is paid out of the review's effort, as
 * are values that are compared and lists that are moved; nothing gets deeper than LIMIT_DEPTH, which is also what recursion ends
 * at.
 */
#ifndef INJECT_AMEND_H
#define INJECT_AMEND_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"
#include "inject/effort.h"

/* Is `text` a patch? null is one without operations. */
int amend_check(struct str text, struct arena *arena, struct err *err) MUST_USE;
/* Whether a checked patch does anything. */
bool amend_is_empty(struct str patch);
/* Appends the container after the patch. */
int amend_container(struct str container, struct str patch, struct effort *effort, struct buf *out, struct err *err) MUST_USE;

#endif
