/*
 * live: maps that a template may change, as Go's maps: all copies of one see what was set in any of them.
 *
 * The box of such a map lies in the arena of the execution. Maps from elsewhere (a reply, a literal) are not live; live_thaw()
 * makes a deep copy that is, and the evaluator does so with what enters a template in which some function changes maps. Nothing
 * outside the execution changes.
 */
#ifndef GO_LIVE_H
#define GO_LIVE_H

#include "base/val.h"

/* A live map of `len` sorted pairs, which are copied. */
int live_map(struct arena *arena, const struct val_pair *pairs, size_t len, struct val *ret, struct err *err) MUST_USE;
/* Make *v and every map in it live; what already is stays the same map. */
int live_thaw(struct arena *arena, struct val *v, struct err *err) MUST_USE;
/* A map that is not live becomes a new one that is, and so does the value. A nil map cannot be set: Go's words. */
int live_set(struct arena *arena, struct val *map, struct str key, const struct val *value, struct err *err) MUST_USE;
int live_unset(struct arena *arena, struct val *map, struct str key, struct err *err) MUST_USE;
/* The value as it is now, to walk through: what is set meanwhile does not disturb. */
const struct val *live_still(const struct val *v);

#endif
