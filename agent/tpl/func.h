/*
 * func: what a template function is, and the table of them.
 *
 * Functions are rows. The evaluator checks the number and the Go types of the arguments by `params` before it calls, so a body
 * sees exactly what its letters promise. A body fills *ret (memory from call->arena) or fails with a text that becomes "error
 * calling NAME: TEXT".
 *
 * params, one letter an argument; a `*` after the last letter makes it variadic (zero or more):
 *   s string   i int   b bool   f float64   a any (interface {})   L []string   A []interface {}   M map[string]interface {}
 *   D as M, and the function changes the map   T time.Time   V *semver.Version   O an option of mergeMap (a Go function: only nil
 * can be one) u uint32   d time.Duration   C sprig.certificate v any, also nil and missing, unconverted (Go's reflect.Value:
 * index, len, eq and friends)
 */
#ifndef TPL_FUNC_H
#define TPL_FUNC_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"
#include "go/typed.h"
#include "tpl/cost.h"

struct tpl_env; /* tpl/env.h: what the embedder supplies to functions that need the outside */

struct call {
    const char *name; /* as written in the template */
    struct arena *arena;
    const struct tpl_env *env;
    const struct val *argv;
    size_t argc;
    struct err *err;
    struct buf *scratch;       /* bytes a body may fill and must not keep, reused from call to call; NULL: it makes its own */
    const struct val *passing; /* where the result goes if it is printed at once: its bytes may stay in `scratch` */
    struct val *kept;          /* a live map of the execution, what `scratch` keeps; NULL: there is none */
    struct vm *vm;             /* for call_template() */
    uint64_t *steps;           /* what the execution may still spend; NULL: as much as a new one. See call_spend() */
    uint32_t *crypto_ms;       /* left of LIMIT_TEMPLATE_CRYPTO_MS; NULL: nobody counts */
};

/* Append what the defined template of that name prints with `dot`; bodies that run templates. */
int call_template(struct call *call, struct str name, const struct val *dot, struct buf *out) MUST_USE;

/* Take `steps` from what the execution may spend; bodies whose work is not in the length of their arguments. */
int call_spend(struct call *call, uint64_t steps) MUST_USE;

/* Steps that it has left. */
uint64_t call_left(const struct call *call);

typedef int func_body(struct call *call, struct val *ret);

struct func {
    const char *name;
    const char *params;
    func_body *body;
    const char *usage; /* "SEPARATOR TEXT" */
    const char *help;  /* one sentence */
    enum cost cost;    /* left out: COST_TEXT */
};

/* The functions that templates have; fn/functions.h has all of them. */
struct func_set {
    /* The row of `name`, or NULL. */
    const struct func *(*find)(struct str name);
    /* Why there is no row of that name, behind "function "x" ". */
    const char *(*absence)(struct str name);
};

/* A certificate and its key, as `sprig_genCA` and its like return them: two strings, Cert and Key. */
extern const struct go_class tpl_class_certificate;

/* Every family of functions gives one table, sorted by name. */
struct func_table {
    const struct func *rows;
    size_t count;
};

#endif
