/* Ops of methods: found while running, as only then the receiver is known. */
#include "go/format.h"
#include "go/typed.h"
#include "tpl/cost.h"
#include "tpl/machine.h"

/* Something that is no method was given arguments. */
static int no_method(struct vm *vm, const struct val *v, struct str name)
{
    struct place at = {v, go_boxed(v)};
    struct access access = vm->access;

    access.missing = TPL_MISSING_ZERO;
    if (v->kind == VAL_MAP)
        err_set(vm->err, ERR_INPUT, "%.*s is not a method but has arguments", (int)name.len, name.data);
    else if (access_fields(&access, &name, 1, &at, vm->err) == 0)
        err_set(vm->err, ERR_INPUT, "%.*s has arguments but cannot be invoked as function", (int)name.len, name.data);
    return machine_fail(vm);
}

/* Look the method up and check the number of its arguments. 1: there is no receiver, and the value is none either. */
int method_find(struct vm *vm, const struct op *op)
{
    struct val *receiver = &vm->slots[op->src], *found = receiver + 1;
    struct str name = vm->tpl->names[op->extra];
    const struct go_method *method = access_method(receiver, name);
    uint32_t in = op->count + (op->fit != 0);

    if (receiver->kind == VAL_MISSING) {
        struct place at = {receiver, false};

        if (access_fields(&vm->access, &name, 1, &at, vm->err) != 0)
            return machine_fail(vm);
        vm->slots[op->dst] = access_invalid;
        return 1;
    }
    if (!method)
        return no_method(vm, receiver, name);
    if (access_check_count(method, in, op->count, vm->err) != 0)
        return machine_fail(vm);
    *found = val_object((void *)(uintptr_t)method, NULL);
    return 0;
}

static const struct go_method *method_of(struct vm *vm, const struct op *op)
{
    return vm->slots[op->src + 1].opaque.self;
}

static char method_letter(struct vm *vm, const struct op *op)
{
    struct params params = params_of(method_of(vm, op)->params);

    return params_letter(&params, op->count);
}

int method_const(struct vm *vm, const struct op *op)
{
    if (literal_as(&vm->tpl->literals[op->arg], method_letter(vm, op), &vm->slots[op->dst], vm->err) == 0)
        return 0;
    return machine_fail(vm);
}

int method_fit(struct vm *vm, const struct op *op)
{
    return machine_fit(vm, &vm->slots[op->dst], method_letter(vm, op));
}

int method_call(struct vm *vm, const struct op *op)
{
    const struct val *self = &vm->slots[op->src];
    size_t memory = vm->arena.used;
    struct val result;

    if (machine_spend(vm, cost_call(COST_HARD, self, op->count + 2)) != 0)
        return -1;
    if (access_call(&vm->access, method_of(vm, op), self, self + 2, op->count, &result, vm->err) != 0)
        return machine_fail_at(vm, op->extra);
    return machine_spend(vm, cost_bytes(vm->arena.used - memory)) != 0 ? -1 : machine_store(vm, op, &result, go_boxed(&result));
}
