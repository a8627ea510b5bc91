/*
 * param: does a value fit a parameter? The letters of tpl/func.h, with Go's rules of assignment and Go's words.
 *
 * In the evaluator a value is invalid (VAL_MISSING: Go's zero reflect.Value), a nil interface {} (VAL_NULL), or anything else;
 * `boxed` says that Go would hold it in an interface {}.
 */
#ifndef TPL_PARAM_H
#define TPL_PARAM_H

#include <stdbool.h>

#include "base/val.h"

/* Go's type of a parameter: "string", "[]interface {}". */
const char *param_type_name(char letter);
/* The nil of a parameter's type; false when it has none. */
bool param_zero(char letter, struct val *ret);
/* Make *v the argument of a parameter, or say why it cannot be. */
int param_argument(struct val *v, char letter, struct err *err) MUST_USE;
/* Go's name of the static type: "interface {}" for what is boxed. */
const char *param_static_type(const struct val *v, bool boxed);

/* The letter of argument `i` (the last one repeats when variadic), how many are fixed, and whether there may be more. */
struct params {
    const char *letters;
    unsigned fixed;
    bool variadic;
};
struct params params_of(const char *letters);
char params_letter(const struct params *params, size_t i);

#endif
