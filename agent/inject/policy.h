/*
 * policy: annotations that carry power, governed by the injector's allow-lists.
 *
 * Looked at are the pod's own annotations, not the injector's defaults; what equals the injector's own setting is always allowed.
 * A violation is a warning, or with -policy=enforce a denial; each names the policy, the annotation and the value.
 */
#ifndef INJECT_POLICY_H
#define INJECT_POLICY_H

#include "inject/plan.h"
#include "inject/warn.h"

/* ERR_DENIED only when enforced. */
int policy_check(const struct plan *plan, struct warnings *warnings, struct err *err) MUST_USE;
/* Appends a line a policy for documentation. */
void policy_help(struct buf *out);

#endif
