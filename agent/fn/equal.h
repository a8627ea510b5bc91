/*
 * equal: reflect.DeepEqual of two values: the same types all the way down, nil and empty are not the same.
 *
 * What is nested deeper than LIMIT_PRINT_DEPTH is not equal. Each pair looked at takes from the steps of the execution, and fails
 * when they are used up: a list that holds another twice, and so on, has more pairs than time.
 */
#ifndef FN_EQUAL_H
#define FN_EQUAL_H

#include "tpl/func.h"

int equal_deep(struct call *call, const struct val *a, const struct val *b, bool *ret) MUST_USE;
int equal_to_any(struct call *call, const struct val *v, const struct val *items, size_t len, bool *ret) MUST_USE;

#endif
