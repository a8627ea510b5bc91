/*
 * plan_make: decides about one pod.
 *
 * In upstream's order, since the order decides which error a user sees: defaults ("error adding default annotations"), parsing
 * ("error creating new agent sidecar"), validation ("error validating agent configuration").
 */
#ifndef INJECT_PLAN_MAKE_H
#define INJECT_PLAN_MAKE_H

#include "inject/plan.h"

int plan_make(struct plan *plan, const struct annots *annots, const struct pod *pod, const struct settings *settings,
              struct str request_namespace, struct arena *arena, struct err *err) MUST_USE;

#endif
