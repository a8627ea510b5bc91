#include "tpl/eval.h"

#include "base/limits.h"
#include "go/channel.h"
#include "go/format.h"
#include "go/live.h"
#include "go/number.h"
#include "go/typed.h"
#include "tpl/diag.h"
#include "tpl/machine.h"
#include "tpl/say.h"

#define UNSET UINT8_MAX /* kind of a variable that was not declared on this path */

int machine_fail_at(struct vm *vm, uint32_t node)
{
    return diag_wrap(vm->tpl, vm->unit, node, vm->env->whole, vm->err);
}

int machine_fail(struct vm *vm)
{
    return machine_fail_at(vm, vm->visited);
}

int machine_fail_value(struct vm *vm, const char *before, const struct val *v, const char *behind)
{
    _cleanup_say_ struct say say;

    say_init(&say, vm->env->redact);
    say_text(&say, "%s", before);
    say_printed(&say, v);
    say_text(&say, "%s", behind);
    say_fail(&say, vm->err);
    return machine_fail(vm);
}

/* --------------------------------------------------------------------------------------------------- values, output */

static int fields(struct vm *vm, const struct op *op, struct place *ret)
{
    *ret = (struct place){&vm->slots[op->src], go_boxed(&vm->slots[op->src])};
    if (access_fields(&vm->access, vm->tpl->names + op->extra, op->count, ret, vm->err) == 0)
        return 0;
    return machine_fail_at(vm, vm->access.calling && op->code != OP_FALSE_FIELDS ? op->arg : vm->visited);
}

int machine_fail_spent(struct vm *vm)
{
    if (vm->out->full)
        return buf_check(vm->out, "template output", vm->err);
    err_set(vm->err, ERR_LIMIT, "more than %d steps", LIMIT_TEMPLATE_STEPS);
    return machine_fail(vm);
}

/* What is more than text or a whole number. */
static int print_value(struct vm *vm, const struct val *v)
{
    size_t before = vm->out->len;

    format_print(vm->out, v);
    return machine_spend(vm, VALUE_STEPS + cost_bytes(vm->out->len - before));
}

static int print(struct vm *vm, const struct val *v, uint32_t action)
{
    switch (v->kind) {
    case VAL_STRING:
        if (v->type != VAL_T_NATURAL)
            break;
        /* fall through */
    case VAL_NUMBER:
        buf_add(vm->out, v->s.data, v->s.len);
        return 0;
    case VAL_INT:
        if (v->type >= GO_T_MONTH)
            break;
        number_int(vm->out, v->i);
        return 0;
    case VAL_MISSING:
    case VAL_NULL:
        buf_adds(vm->out, "<no value>");
        return 0;
    case VAL_OPAQUE:
        if (v->opaque.class == &go_class_channel.base) {
            _cleanup_buf_ struct buf text;

            buf_init_clipped(&text, LIMIT_TEMPLATE_BYTES * 5);
            diag_print_node(vm->tpl, &vm->tpl->nodes[action], &text);
            err_set(vm->err, ERR_INPUT, "can't print %s of type %s", text.data, format_type_name(v));
            return machine_fail_at(vm, action);
        }
    }
    return print_value(vm, v);
}

/* -------------------------------------------------------------------------------------------------------- functions */

static int call(struct vm *vm, const struct op *op)
{
    const struct func *func = vm->tpl->functions[op->arg];
    struct val result = {0};
    size_t memory = vm->arena.used;
    struct call call = {
        .name = func->name,
        .arena = &vm->arena,
        .env = vm->env,
        .argv = &vm->slots[op->src],
        .argc = op->count,
        .err = vm->err,
        .scratch = &vm->scratch,
        .passing = op[1].code == OP_PRINT && op[1].src == op->dst ? &result : NULL,
        .kept = &vm->kept,
        .vm = vm,
        .steps = &vm->steps,
        .crypto_ms = &vm->crypto_ms,
    };

    if (machine_spend(vm, cost_call(func->cost, call.argv, call.argc)) != 0)
        return -1;
    if (func->body(&call, &result) == 0 && (!vm->tpl->changes || live_thaw(&vm->arena, &result, vm->err) == 0))
        return machine_spend(vm, cost_bytes(vm->arena.used - memory)) != 0
                   ? -1
                   : machine_store(vm, op, &result, go_boxed(&result) || result.kind == VAL_NULL);
    /* What a limit ended inside of templates that run one another is told once: their names would push the cause out of the text.
     */
    if (vm->err->code == ERR_LIMIT && str_has_prefix(str_of(vm->err->text), "template: "))
        return -1;
    err_wrap(vm->err, "error calling %s", func->name);
    return machine_fail_at(vm, op->extra);
}

static void fail_call(struct vm *vm, struct str text, const char *type)
{
    _cleanup_say_ struct say say;

    say_init(&say, vm->env->redact);
    say_text(&say, "error calling call: non-function ");
    say_plain(&say, text);
    say_text(&say, " of type %s", type);
    say_fail(&say, vm->err);
}

/* No value of a template is a function, so `call` only finds out what else it got. */
static int call_value(struct vm *vm, const struct op *op)
{
    const struct val *v = &vm->slots[op->src];
    const char *type = format_type_name(v);

    if (val_is_nil(v))
        err_set(vm->err, ERR_INPUT, "error calling call: call of nil");
    else if (op->arg != NOTHING)
        err_set(vm->err, ERR_INPUT, "error calling call: non-function %s of type %s", vm->tpl->constants[op->arg].s.data, type);
    else if (v->kind != VAL_STRING && v->kind != VAL_NUMBER)
        err_set(vm->err, ERR_INPUT, "error calling call: non-function <%s Value> of type %s", type, type);
    else
        fail_call(vm, v->s, type);
    return machine_fail_at(vm, op->extra);
}

/* --------------------------------------------------------------------------------------------------- template calls */

static int reserve_slots(struct vm *vm, size_t base, size_t count)
{
    size_t cap = vm->stack_cap * 2, need = base + count;
    struct val *stack;

    if (need * sizeof(*stack) > LIMIT_TEMPLATE_STACK_BYTES) {
        err_set(vm->err, ERR_LIMIT, "more than %zu bytes of stack", LIMIT_TEMPLATE_STACK_BYTES);
        return machine_fail(vm);
    }
    vm->stack_used = vm->stack_used > need ? vm->stack_used : need;
    if (need <= vm->stack_cap)
        return 0;
    cap = cap > need ? cap : need;
    stack = mem_grow(vm->stack == vm->first.stack ? NULL : vm->stack, vm->stack_cap * sizeof(*stack), cap * sizeof(*stack));
    if (vm->stack == vm->first.stack)
        memcpy(stack, vm->first.stack, sizeof(vm->first.stack));
    vm->stack = stack;
    vm->stack_cap = cap;
    vm->slots = vm->stack + vm->base;
    return 0;
}

static void reserve_frame(struct vm *vm)
{
    size_t cap = vm->frame_cap * 2;
    bool first = vm->frames == vm->first.frames;

    if (vm->depth < vm->frame_cap)
        return;
    vm->frames = mem_grow(first ? NULL : vm->frames, vm->frame_cap * sizeof(*vm->frames), cap * sizeof(*vm->frames));
    if (first)
        memcpy(vm->frames, vm->first.frames, sizeof(vm->first.frames));
    vm->frame_cap = cap;
}

static int not_defined(struct vm *vm, struct str name)
{
    diag_not_defined(name, vm->err);
    return machine_fail(vm);
}

/* Is there such a template, and room for its call? */
static int enter(struct vm *vm, const struct op *op)
{
    const struct unit *unit = &vm->tpl->units[op->arg];

    if (!unit->ops)
        return not_defined(vm, unit->name);
    if (vm->depth < LIMIT_TEMPLATE_DEPTH)
        return 0;
    err_set(vm->err, ERR_LIMIT, "exceeded maximum template depth (%d)", LIMIT_TEMPLATE_DEPTH);
    return machine_fail(vm);
}

/* `next`: where to go on afterwards. */
static int call_unit(struct vm *vm, const struct op *next, const struct unit *unit, struct val dot)
{
    size_t base = vm->base + vm->unit->slots;

    if (reserve_slots(vm, base, unit->slots) != 0 || machine_spend(vm, unit->steps) != 0)
        return -1;
    reserve_frame(vm);
    vm->frames[vm->depth++] = (struct frame){vm->unit, next, vm->base};
    vm->unit = unit;
    vm->base = base;
    vm->slots = vm->stack + base;
    vm->slots[SLOT_ROOT] = vm->slots[SLOT_DOT] = dot;
    return 0;
}

/* Where to go on, or NULL at the end of the root. */
static const struct op *return_from_unit(struct vm *vm)
{
    const struct frame *frame;

    if (vm->depth == vm->floor)
        return NULL;
    frame = &vm->frames[--vm->depth];
    vm->unit = frame->unit;
    vm->base = frame->base;
    vm->slots = vm->stack + vm->base;
    return frame->op;
}

/* ------------------------------------------------------------------------------------------------------ the machine */

static int fail_always(struct vm *vm, const struct op *op)
{
    err_set(vm->err, ERR_INPUT, "%s", vm->tpl->constants[op->arg].s.data);
    return machine_fail(vm);
}

static int unset(struct vm *vm, const struct op *op)
{
    vm->slots[op->dst] = (struct val){.kind = UNSET};
    return 0;
}

static int is_unset(struct vm *vm, const struct op *op)
{
    return vm->slots[op->src].kind == UNSET;
}

/* Ops that are rare, or do much. Like those of the switch they answer 0: go on, 1: jump to `arg`, -1: failed. */
static int (*const actions[])(struct vm *vm, const struct op *op) = {
    [OP_CALL] = call,
    [OP_CALL_VALUE] = call_value,
    [OP_UNSET] = unset,
    [OP_JUMP_UNSET] = is_unset,
    [OP_RANGE] = loop_begin,
    [OP_ENTER] = enter,
    [OP_FAIL] = fail_always,
    [OP_METHOD] = method_find,
    [OP_METHOD_CONST] = method_const,
    [OP_METHOD_FIT] = method_fit,
    [OP_METHOD_CALL] = method_call,
};

/* lint: evaluator */
static int run(struct vm *vm)
{
    const struct op *op = vm->unit->ops;
    uint32_t visited = vm->visited;
    struct place at;
    int done;

    for (;;) {
        visited = op->node ? op->node : visited;
        vm->visited = visited;
        switch ((enum op_code)op->code) {
        case OP_TEXT:
            buf_add(vm->out, vm->tpl->source.data + op->src, op->arg);
            op++;
            continue;
        case OP_CONST:
            vm->slots[op->dst] = vm->tpl->constants[op->arg];
            op++;
            continue;
        case OP_MOVE:
            if (machine_store(vm, op, &vm->slots[op->src], go_boxed(&vm->slots[op->src])) != 0)
                return -1;
            op++;
            continue;
        case OP_FIELDS:
            if (fields(vm, op, &at) != 0 || machine_store(vm, op, at.v, at.boxed) != 0)
                return -1;
            op++;
            continue;
        case OP_PRINT:
            if (print(vm, &vm->slots[op->src], op->arg) != 0)
                return -1;
            op++;
            continue;
        case OP_PRINT_FIELDS:
            if (fields(vm, op, &at) != 0 || print(vm, at.v, op->dst) != 0)
                return -1;
            op++;
            continue;
        case OP_JUMP:
            op = vm->unit->ops + op->arg;
            continue;
        case OP_JUMP_FALSE:
            done = !access_truth(&vm->slots[op->src]);
            break;
        case OP_JUMP_TRUE:
            done = access_truth(&vm->slots[op->src]);
            break;
        case OP_FALSE_FIELDS:
            done = fields(vm, op, &at) != 0 ? -1 : !access_truth(at.v);
            break;
        case OP_NEXT:
            done = loop_next(vm, op);
            break;
        case OP_TEMPLATE:
            if (call_unit(vm, op + 1, &vm->tpl->units[op->arg], vm->slots[op->src]) != 0)
                return -1;
            op = vm->unit->ops;
            continue;
        case OP_RETURN:
            op = return_from_unit(vm);
            if (!op)
                return 0;
            continue;
        default:
            done = actions[op->code](vm, op);
        }
        if (done < 0)
            return -1;
        op = done > 0 ? vm->unit->ops + op->arg : op + 1;
    }
}

static const struct unit *find_unit(const struct tpl *tpl, struct str name)
{
    for (uint32_t i = 0; i < tpl->unit_count; i++) {
        if (str_eq(tpl->units[i].name, name) && tpl->units[i].ops)
            return &tpl->units[i];
    }
    return NULL;
}

/* The machine goes on in another unit above the one it is in, and comes back. */
static int run_inner(struct vm *vm, const struct unit *unit, const struct val *dot, struct buf *out)
{
    struct buf *outer_out = vm->out;
    size_t outer_floor = vm->floor;
    uint32_t visited = vm->visited;
    int failed;

    if (call_unit(vm, NULL, unit, *dot) != 0)
        return -1;
    vm->floor = vm->depth;
    vm->out = out;
    vm->inner++;
    failed = run(vm) != 0 || buf_check(out, "template output", vm->err) != 0;
    vm->inner--;
    vm->out = outer_out;
    vm->depth = vm->floor;
    vm->floor = outer_floor;
    return_from_unit(vm);
    vm->visited = visited;
    return failed ? -1 : 0;
}

int call_template(struct call *call, struct str name, const struct val *dot, struct buf *out)
{
    const struct unit *unit;

    if (!call->vm)
        return err_set(call->err, ERR_INPUT, "not available here");
    unit = find_unit(call->vm->tpl, name);
    if (!unit)
        return diag_not_associated(call->vm->tpl, name, call->vm->env->redact, call->err);
    if (call_spend(call, call->vm->tpl->unit_count / 2) != 0) /* they are looked at one by one */
        return -1;
    if (call->vm->inner == LIMIT_TEMPLATE_INNER)
        return err_set(call->err, ERR_LIMIT, "more than %d templates run one in another", LIMIT_TEMPLATE_INNER);
    return run_inner(call->vm, unit, dot, out);
}

static void vm_done(struct vm *vm)
{
    if (vm->stack != vm->first.stack) {
        mem_wipe(vm->stack, vm->stack_used * sizeof(*vm->stack));
        mem_free(vm->stack);
        vm->stack_used = STACK_FIRST;
    }
    mem_wipe(vm->first.stack, vm->stack_used * sizeof(*vm->stack));
    if (vm->frames != vm->first.frames)
        mem_free(vm->frames);
    buf_done(&vm->scratch);
    arena_done(&vm->arena);
}

static int thaw_root(struct vm *vm)
{
    if (live_thaw(&vm->arena, &vm->slots[SLOT_ROOT], vm->err) != 0)
        return -1;
    vm->slots[SLOT_DOT] = vm->slots[SLOT_ROOT];
    return 0;
}

/* All but `first`, which is large and needs no value. */
static void vm_init(struct vm *vm, const struct tpl *tpl, const struct tpl_env *env, struct buf *out, struct err *err)
{
    static const struct tpl_env nothing;

    memset(vm, 0, offsetof(struct vm, first));
    vm->tpl = tpl;
    vm->env = env ? env : &nothing;
    vm->out = out;
    vm->err = err;
    buf_init_secret_in(&vm->scratch, LIMIT_OUTPUT_BYTES, vm->first.scratch, sizeof(vm->first.scratch));
    arena_init_in(&vm->arena, LIMIT_TEMPLATE_MEMORY, "temporary values", vm->first.memory, sizeof(vm->first.memory));
    vm->access.arena = &vm->arena;
    vm->access.missing = tpl->missing;
    vm->access.redact = vm->env->redact;
    vm->stack = vm->slots = vm->first.stack;
    vm->stack_cap = STACK_FIRST;
    vm->frames = vm->first.frames;
    vm->frame_cap = FRAMES_FIRST;
    vm->unit = &tpl->units[tpl->root];
    vm->steps = LIMIT_TEMPLATE_STEPS;
    vm->crypto_ms = LIMIT_TEMPLATE_CRYPTO_MS;
}

int eval_run(const struct tpl *tpl, const struct val *root, const struct tpl_env *env, struct buf *out, struct err *err)
{
    size_t before = out->len;
    struct vm vm UNSET_AT_FIRST;
    int failed;

    vm_init(&vm, tpl, env, out, err);
    failed = reserve_slots(&vm, 0, vm.unit->slots);
    if (!failed) {
        vm.slots[SLOT_ROOT] = vm.slots[SLOT_DOT] = val_is_nil(root) ? access_invalid : *root;
        go_box(&vm.slots[SLOT_ROOT], false);
        go_box(&vm.slots[SLOT_DOT], false);
        failed = (tpl->changes && thaw_root(&vm) != 0) || run(&vm) != 0 || buf_check(out, "template output", err) != 0;
    }
    if (failed)
        buf_cut(out, before);
    vm_done(&vm);
    return failed ? -1 : 0;
}
