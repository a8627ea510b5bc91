/*
 * equal: reflect.DeepEqual of two values: the same types all the way down, nil and empty are not the same.
 *
 * Total: what is nested deeper than LIMIT_PRINT_DEPTH is not equal.
 */
#ifndef TPL_EQUAL_H
#define TPL_EQUAL_H

#include "base/val.h"

bool equal_deep(const struct val *a, const struct val *b);
bool equal_to_any(const struct val *v, const struct val *items, size_t len);

#endif
