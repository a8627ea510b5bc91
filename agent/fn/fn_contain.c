/* What a list or string contains. Source: consul-template. */
#include "fn/cast.h"
#include "fn/fn.h"

static int fail_nil(struct call *call)
{
    return err_set(call->err, ERR_INPUT, "reflect: call of reflect.Value.Type on zero Value");
}

/* Only integers, floats and strings of the very same type can be found in a list. */
static int matches(struct call *call, const struct val *item, const struct val *wanted, bool *ret)
{
    *ret = false;
    if (cast_is_text(item) && val_is_nil(wanted))
        return fail_nil(call);
    if (item->kind != wanted->kind)
        return 0;
    if (item->kind == VAL_INT)
        *ret = item->i == wanted->i;
    else if (item->kind == VAL_FLOAT)
        *ret = item->f == wanted->f;
    else if (cast_is_text(item) && cast_is_text(wanted))
        *ret = str_eq(item->s, wanted->s);
    return 0;
}

static int contains(struct call *call, const struct val *there, const struct val *wanted, bool *ret)
{
    *ret = false;
    if (call_spend(call, there->kind == VAL_LIST ? there->list.len / 4 : cast_is_text(there) ? there->s.len / 64 : 0) != 0)
        return -1;
    if (cast_is_text(there)) {
        if (val_is_nil(wanted))
            return fail_nil(call);
        *ret = there->kind == wanted->kind && cast_is_text(wanted) && fn_find(there->s, 0, wanted->s) <= there->s.len;
    }
    for (size_t i = 0; there->kind == VAL_LIST && i < there->list.len && !*ret; i++) {
        if (matches(call, &there->list.items[i], wanted, ret) != 0)
            return -1;
    }
    return 0;
}

static int body_contains(struct call *call, struct val *ret)
{
    bool found;

    return contains(call, &call->argv[1], &call->argv[0], &found) != 0 ? -1 : fn_return_bool(found, ret);
}

static int body_in(struct call *call, struct val *ret)
{
    bool found;

    return contains(call, &call->argv[0], &call->argv[1], &found) != 0 ? -1 : fn_return_bool(found, ret);
}

/* The first value of the list whose presence is `present` decides for `decided`; without one it is the opposite. */
static int contains_some(struct call *call, bool present, bool decided, struct val *ret)
{
    const struct val *list = &call->argv[0];
    bool found;

    for (size_t i = 0; i < list->list.len; i++) {
        if (contains(call, &call->argv[1], &list->list.items[i], &found) != 0)
            return -1;
        if (found == present)
            return fn_return_bool(decided, ret);
    }
    return fn_return_bool(!decided, ret);
}

static int body_contains_all(struct call *call, struct val *ret)
{
    return contains_some(call, false, false, ret);
}

static int body_contains_any(struct call *call, struct val *ret)
{
    return contains_some(call, true, true, ret);
}

static int body_contains_none(struct call *call, struct val *ret)
{
    return contains_some(call, true, false, ret);
}

static int body_contains_not_all(struct call *call, struct val *ret)
{
    return contains_some(call, false, true, ret);
}

static const struct func rows[] = {
    {"contains", "aa", body_contains, "WANTED CONTAINER", "True when a list holds the value or a string the part.", COST_LOOK},
    {"containsAll", "Aa", body_contains_all, "LIST CONTAINER", "True when every value of the list is in the container.",
     COST_LOOK},
    {"containsAny", "Aa", body_contains_any, "LIST CONTAINER", "True when some value of the list is in the container.",
     COST_LOOK},
    {"containsNone", "Aa", body_contains_none, "LIST CONTAINER", "True when no value of the list is in the container.",
     COST_LOOK},
    {"containsNotAll", "Aa", body_contains_not_all, "LIST CONTAINER", "True when some value of the list is not in the container.",
     COST_LOOK},
    {"in", "aa", body_in, "CONTAINER WANTED", "True when a list holds the value or a string the part.", COST_LOOK},
};

const struct func_table fn_contain = {rows, ARRAY_LEN(rows)};
