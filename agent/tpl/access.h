/*
 * access: from a value to its fields, keys and methods, as `.a.b.c` walks; for tpl/ only.
 *
 * Nothing is copied: the answer lies where the data lies, or in the arena when a method made it. `boxed` says whether Go would
 * hold it in an interface {}. Failures are Go's words without a place; `node_of_call` asks the caller to name the whole chain
 * instead of what was visited last.
 */
#ifndef TPL_ACCESS_H
#define TPL_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/val.h"
#include "go/typed.h"
#include "tpl/env.h"

#define ACCESS_NEAR 32

struct access {
    struct arena *arena;
    enum tpl_missing missing;
    bool redact;
    bool calling;               /* out: the failure is that of a method called */
    uint16_t near[ACCESS_NEAR]; /* by name: which pair of a map it was the last time; rows of a list have the same keys */
};

struct place {
    const struct val *v;
    bool boxed;
};

extern const struct val access_invalid; /* Go's zero reflect.Value */

/* Follow `count` names from `at`. */
int access_fields(struct access *access, const struct str *names, size_t count, struct place *at, struct err *err) MUST_USE;

/* The method of that name, or NULL. */
const struct go_method *access_method(const struct val *v, struct str name);
/* So many arguments, of which `written` were not piped: as many as it takes, and may templates call it at all? */
int access_check_count(const struct go_method *method, unsigned count, unsigned written, struct err *err) MUST_USE;
int access_call(struct access *access, const struct go_method *method, const struct val *self, const struct val *argv,
                size_t argc, struct val *ret, struct err *err) MUST_USE;

/* As Go's template.IsTrue. */
bool access_truth(const struct val *v);

#endif
