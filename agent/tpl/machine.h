/*
 * machine: the state of an execution, and what its parts share; for tpl/ only.
 *
 * eval.c owns the machine and runs the ops; loop.c and method.c hold those of loops and of methods. An op's function answers 0:
 * go on, 1: jump to `arg`, -1: failed, with the text in vm->err.
 */
#ifndef TPL_MACHINE_H
#define TPL_MACHINE_H

#include "go/typed.h"
#include "tpl/access.h"
#include "tpl/code.h"
#include "tpl/param.h"

/* What needs no heap: enough for most templates. */
#define STACK_FIRST   64
#define FRAMES_FIRST  16
#define MEMORY_FIRST  4096
#define SCRATCH_FIRST 512
#define VALUE_STEPS   20 /* to print a number that is not whole, for example */

/* A unit that waits for a template call to return. */
struct frame {
    const struct unit *unit;
    const struct op *op;
    size_t base;
};

struct vm {
    const struct tpl *tpl;
    const struct tpl_env *env;
    struct buf *out;
    struct err *err;
    struct arena arena;
    struct buf scratch; /* for functions, see struct call */
    struct access access;
    struct val *stack; /* first.stack, or heap */
    size_t stack_cap, stack_used, base;
    struct frame *frames; /* first.frames, or heap */
    size_t frame_cap, depth;
    const struct unit *unit;
    struct val *slots;  /* of the unit: stack + base */
    size_t floor;       /* depth at which run() returns: above 0 within executeTemplate */
    unsigned inner;     /* templates that functions run, one in another */
    struct val kept;    /* see struct call */
    uint32_t visited;   /* node, for errors */
    uint64_t steps;     /* left */
    uint32_t crypto_ms; /* left, see struct call */
    struct {
        struct val stack[STACK_FIRST];
        struct frame frames[FRAMES_FIRST];
        _Alignas(max_align_t) char memory[MEMORY_FIRST];
        char scratch[SCRATCH_FIRST];
    } first;
};

/* The text of vm->err gets the place of `node`, or the one that was visited last; -1. */
int machine_fail_at(struct vm *vm, uint32_t node);
int machine_fail(struct vm *vm);
/* The value stands between the two, see tpl/say.h. */
int machine_fail_value(struct vm *vm, const char *before, const struct val *v, const char *behind);
int machine_fail_spent(struct vm *vm);

/* Finish a value that was stored; see FIT_RAW. */
static inline int machine_fit(struct vm *vm, struct val *v, char how)
{
    if (how == FIT_RAW)
        return 0;
    if (how == FIT_UNBOX) {
        go_box(v, false);
        if (v->kind == VAL_NULL)
            v->kind = VAL_MISSING;
        return 0;
    }
    if ((how == 'a' && v->kind != VAL_MISSING) || how == 'v' || param_argument(v, how, vm->err) == 0)
        return 0;
    return machine_fail(vm);
}

static inline int machine_store(struct vm *vm, const struct op *op, const struct val *v, bool boxed)
{
    struct val *dst = &vm->slots[op->dst];

    *dst = *v;
    go_box(dst, boxed);
    return machine_fit(vm, dst, op->fit);
}

/* Take `steps` from what is left; fails as well when the output is full. */
static inline int machine_spend(struct vm *vm, uint64_t steps)
{
    if (vm->out->full || vm->steps < steps)
        return machine_fail_spent(vm);
    vm->steps -= steps;
    return 0;
}

/* loop.c */
int loop_begin(struct vm *vm, const struct op *op);
int loop_next(struct vm *vm, const struct op *op);

/* method.c */
int method_find(struct vm *vm, const struct op *op);
int method_const(struct vm *vm, const struct op *op);
int method_fit(struct vm *vm, const struct op *op);
int method_call(struct vm *vm, const struct op *op);

#endif
