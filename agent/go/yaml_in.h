/*
 * yaml_in: YAML text as the value that yaml.v2 decodes it into.
 *
 * YAML 1.1, the first document only. Maps are map[interface {}]interface {}; merges ("<<") set keys where they stand; of equal
 * keys the last counts. Errors are yaml.v2's ("yaml: line 3: …"); with `redact` no part of the text is in them. Limits:
 * LIMIT_DEPTH, LIMIT_MEMBERS, LIMIT_YAML_ANCHORS, and yaml.v2's share of what aliases may repeat.
 */
#ifndef GO_YAML_IN_H
#define GO_YAML_IN_H

#include "base/arena.h"
#include "base/val.h"

int yaml_in(struct str text, bool redact, struct arena *arena, struct val *ret, struct err *err) MUST_USE;

#endif
