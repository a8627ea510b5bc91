/*
 * effort: what one review may take, counted in bytes that are made or looked at again, so that one budget bounds its time and its
 * memory.
 *
 * It grows with the review: what amplifies a little text is refused, whatever the way (copies in a JSON patch, secrets times
 * containers, one long list for every agent). Whoever makes much pays before, or for a piece at a time; reading the review itself
 * is bounded by its size.
 */
#ifndef INJECT_EFFORT_H
#define INJECT_EFFORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct effort {
    size_t most, left;
    bool spent; /* something could not be paid; sticks, for those who pay where no error can be told */
};

void effort_init(struct effort *effort, size_t review_bytes);
/* ERR_LIMIT, in words for the pod's author. */
int effort_spend(struct effort *effort, size_t bytes, struct err *err) MUST_USE;
/* The same later, for what was spent inside a library. */
int effort_check(const struct effort *effort, struct err *err) MUST_USE;

#endif
