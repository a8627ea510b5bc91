/*
 * advice: warnings of what a pod asks for and does not get, or gets otherwise than its author thinks.
 *
 * Annotations that point at nothing (containers that are not there, a pod's uid that does not count), a login token that was
 * guessed, files that are written over each other, and what Ampule's own agent cannot do.
 */
#ifndef INJECT_ADVICE_H
#define INJECT_ADVICE_H

#include "inject/plan.h"
#include "inject/warn.h"

/* Also of pods that are refused: what may be why. */
void advice_before(const struct annots *annots, const struct pod *pod, const struct settings *settings,
                   struct warnings *warnings);
void advice_give(const struct plan *plan, struct warnings *warnings);

#endif
