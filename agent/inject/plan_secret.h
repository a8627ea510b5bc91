/*
 * plan_secret: the files of a pod, out of its agent-inject-… annotations.
 *
 * A name is declared by -secret-, -template-file- or -template-NAME with a value that is not blank; all that belongs to it is
 * looked up by the name in its own case. Sorted by name (upstream's order is random). At most LIMIT_REVIEW_SECRETS.
 */
#ifndef INJECT_PLAN_SECRET_H
#define INJECT_PLAN_SECRET_H

#include "inject/plan.h"

/* Fills secrets, identities and custom_paths. */
int plan_secrets(struct plan *plan, struct arena *arena, struct err *err) MUST_USE;
/* As Go's path.Join: cleaned; data NULL when memory is used up. */
struct str plan_join(struct str a, struct str b, struct arena *arena, struct err *err);

/* "1000:1000", "1000" or ":1000" into user and group. */
int plan_owner(struct plan_secret *secret, struct str text, struct err *err) MUST_USE;
/* The place of that identity in plan.identities, where it is from now on. */
int plan_identify(struct plan *plan, struct str name, size_t *ret, struct err *err) MUST_USE;

#endif
