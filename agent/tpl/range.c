/* Ops of loops: lists, maps, numbers, and channels that `loop` makes. */
#include "go/channel.h"
#include "go/live.h"
#include "go/typed.h"
#include "tpl/machine.h"

static size_t loop_length(const struct val *over)
{
    const struct channel *channel;

    switch (over->kind) {
    case VAL_LIST:
        return over->list.len;
    case VAL_MAP:
        return over->map.len;
    case VAL_INT:
        return over->i > 0 ? (size_t)over->i : 0;
    case VAL_UINT:
        return over->u;
    case VAL_OPAQUE:
        channel = over->opaque.self;
        return channel && channel->next < channel->end;
    default:
        return 0;
    }
}

/* 1: nothing to range over. */
int loop_begin(struct vm *vm, const struct op *op)
{
    struct val *loop = &vm->slots[op->dst];
    const struct val *over = &vm->slots[op->src];
    bool number = over->kind == VAL_INT || over->kind == VAL_UINT;

    if (number && op->count > 1)
        return machine_fail_value(vm, "can't use ", over, " to iterate over more than one variable");
    if (!number && over->kind != VAL_MISSING && over->kind != VAL_LIST && over->kind != VAL_MAP &&
        !go_is_object(over, &go_class_channel))
        return machine_fail_value(vm, "range can't iterate over ", over, "");
    loop[LOOP_OVER] = *live_still(over);
    loop[LOOP_INDEX] = val_int(-1);
    return loop_length(&loop[LOOP_OVER]) == 0;
}

static inline void put(struct val *to, const struct val *v, bool boxed)
{
    *to = *v;
    go_box(to, boxed);
}

/* The element of turn `i`, and its key or index if somebody wants it; false when there is none. */
static bool loop_element(struct val *loop, size_t i, bool keyed)
{
    const struct val *over = &loop[LOOP_OVER];
    const struct val_pair *pair;
    struct channel *channel;

    if (over->kind == VAL_OPAQUE ? loop_length(over) == 0 : i >= loop_length(over))
        return false;
    loop[LOOP_KEY] = val_int((int64_t)i);
    switch (over->kind) {
    case VAL_LIST:
        put(&loop[LOOP_DOT], &over->list.items[i], over->type == VAL_T_NATURAL);
        break;
    case VAL_MAP:
        pair = &over->map.pairs[i];
        if (keyed)
            put(&loop[LOOP_KEY], pair->key, over->type == VAL_T_ANY_KEY);
        put(&loop[LOOP_DOT], &pair->value, over->type != GO_T_MAP_STRINGS);
        break;
    case VAL_OPAQUE:
        channel = over->opaque.self;
        loop[LOOP_DOT] = go_int64(channel->next++);
        break;
    default:
        loop[LOOP_KEY] = access_invalid;
        loop[LOOP_DOT] = *over;
        loop[LOOP_DOT].u = i;
    }
    return true;
}

/* 1: the loop is over. */
int loop_next(struct vm *vm, const struct op *op)
{
    struct val *loop = &vm->slots[op->dst];

    if (!loop_element(loop, (size_t)++loop[LOOP_INDEX].i, op->src))
        return 1;
    if (op->count > 0)
        loop[-1] = loop[LOOP_DOT];
    if (op->count > 1)
        loop[-2] = loop[LOOP_KEY];
    return machine_spend(vm, op->extra);
}
