/*
 * plan_own: what the ampule.dev annotations ask for, and whether it can be had.
 *
 * Errors name the annotation, what stands against it, and the way out.
 */
#ifndef INJECT_PLAN_OWN_H
#define INJECT_PLAN_OWN_H

#include "inject/plan.h"

/* After everything else was parsed: fills native, handover, direct, quantities; may change uid and share. */
int plan_own(struct plan *plan, struct arena *arena, struct err *err) MUST_USE;

#endif
