/*
 * patch: a plan as an RFC 6902 patch on the pod, operation by operation as upstream sends it.
 *
 * Lists are appended to with "/-"; a list that the pod does not have comes into being with its first element.
 */
#ifndef INJECT_PATCH_H
#define INJECT_PATCH_H

#include "inject/effort.h"
#include "inject/plan.h"

/* Appends the JSON array. */
int patch_write(const struct plan *plan, struct effort *effort, struct buf *out, struct arena *arena, struct err *err) MUST_USE;

#endif
