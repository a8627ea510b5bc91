/*
 * refusal: what the API server refuses of a pod as our patch leaves it, foreseen.
 *
 * Webhooks are asked before the pod is checked, and the original says nothing: the pod never comes, and a controller's events
 * tell why in fields that nobody wrote. The rules are Kubernetes' own (ValidatePodSpec), for what an injection adds or meets:
 * names, mount paths, volumes, resources, user ids, what init containers may not have, operating systems. What is wrong with the
 * pod alone counts as well.
 */
#ifndef INJECT_REFUSAL_H
#define INJECT_REFUSAL_H

#include "base/arena.h"
#include "base/val.h"
#include "inject/warn.h"

struct refusal {
    size_t count;                          /* reasons for which the API server refuses the pod */
    bool unfit;                            /* it takes the pod, but the agent cannot run there */
    char text[LIMIT_REVIEW_WARNING_BYTES]; /* the first of either; "" when there is none */
};

/* `patch` is what patch_write() wrote for `pod`. Warns of each reason. Trees lie in `arena`; when it is full, less is foreseen.
 */
void refusal_foresee(const struct val *pod, struct str patch, struct arena *arena, struct warnings *warnings,
                     struct refusal *ret);

#endif
