/*
 * yaml_key: the order of a map's keys, as yaml.v2 prints them and as fmt does.
 */
#ifndef GO_YAML_KEY_H
#define GO_YAML_KEY_H

#include "base/val.h"

/* Natural order: numbers by value, then texts, in which runs of digits count as numbers ("a9" before "a10"). Below, at or above
 * zero. */
int yaml_key_compare(const struct val *a, const struct val *b);
/* The order of pairs in a VAL_T_ANY_KEY: nil, then by type, then by value. 0: one key, or both NaN. */
int yaml_key_sort(const struct val *a, const struct val *b);

#endif
