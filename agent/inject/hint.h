/*
 * hint: warnings of annotations that do nothing: unknown ones, with the nearest known name, and those whose secret is not
 * declared.
 */
#ifndef INJECT_HINT_H
#define INJECT_HINT_H

#include "inject/plan.h"
#include "inject/warn.h"

void hint_unknown(const struct val *annotations, struct warnings *warnings);
void hint_orphans(const struct plan *plan, struct warnings *warnings);

/* The row whose name is nearest to `suffix`, or NULL when none is near. A family is compared with the beginning. */
const struct annot_row *hint_nearest(struct str suffix);

#endif
