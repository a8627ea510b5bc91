/*
 * cost: what calls take, in steps of the evaluator (about 5 ns each), so that one budget bounds the time of any template.
 *
 * A function's row names its class. A call is paid in proportion to the bytes and items of its arguments before it runs, and to
 * the memory that it made behind it; bodies whose work is in neither (searches, comparisons of values in values) pay by
 * call_spend(). The classes were measured by tests/fuzz/bombs.
 */
#ifndef TPL_COST_H
#define TPL_COST_H

#include "base/val.h"

enum cost {
    COST_TEXT, /* reads its arguments and writes about as much: nearly all functions */
    COST_LOOK, /* looks at one place of them, or hands them on */
    COST_FIND, /* searches or compares them as fast as memory is read */
    COST_SLOW, /* takes them apart piece by piece */
    COST_HARD, /* builds and throws away structures of its own */
    COST_KIND_COUNT
};

/* Of a call of that class with these arguments. */
uint64_t cost_call(enum cost cost, const struct val *argv, size_t argc);
/* Of so many bytes that were written, as text or as values. */
uint64_t cost_bytes(size_t bytes);

#endif
