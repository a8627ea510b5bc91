/* eq ne lt le gt ge. Source of rules and texts: Go's text/template. */
#include "fn/equal.h"
#include "fn/fn.h"
#include "go/channel.h"
#include "go/format.h"
#include "go/moment_object.h"
#include "go/typed.h"

enum kind { KIND_NONE, KIND_BOOL, KIND_COMPLEX, KIND_INT, KIND_FLOAT, KIND_STRING, KIND_UINT };

static enum kind kind_of(const struct val *v)
{
    switch ((enum val_kind)v->kind) {
    case VAL_BOOL:
        return KIND_BOOL;
    case VAL_INT:
        return KIND_INT;
    case VAL_UINT:
        return KIND_UINT;
    case VAL_FLOAT:
        return KIND_FLOAT;
    case VAL_COMPLEX:
        return KIND_COMPLEX;
    case VAL_NUMBER:
        return KIND_STRING;
    case VAL_STRING:
        return v->type == VAL_T_BYTES ? KIND_NONE : KIND_STRING;
    default:
        return KIND_NONE;
    }
}

static int fail_incompatible(struct call *call, const struct val *a, const struct val *b)
{
    return err_set(call->err, ERR_INPUT, "incompatible types for comparison: %s and %s", format_type_name(a),
                   format_type_name(b));
}

/* A pointer, slice, map or channel of its type's nil. */
static bool is_nil(const struct val *v)
{
    switch ((enum val_kind)v->kind) {
    case VAL_LIST:
        return v->list.items == NULL;
    case VAL_MAP:
    case VAL_RECORD:
        return v->map.pairs == NULL;
    case VAL_STRING:
        return v->type == VAL_T_BYTES && v->s.data == NULL;
    case VAL_OPAQUE:
        return v->opaque.self == NULL;
    default:
        return val_is_nil(v);
    }
}

/* Go's reflect.Kind of what has no basic kind. */
static char compound_kind(const struct val *v)
{
    switch ((enum val_kind)v->kind) {
    case VAL_LIST:
    case VAL_STRING:
        return 'l';
    case VAL_MAP:
        return 'm';
    case VAL_RECORD:
        return go_class_of(v)->pointer ? 'p' : 's';
    case VAL_OPAQUE:
        return v->opaque.class == &go_class_channel.base ? 'c' : go_class_of(v)->pointer ? 'p' : 's';
    default:
        return 0;
    }
}

/* Go's texts mix up value and type here; so do ours. */
static int fail_not_comparable(struct call *call, const struct val *a, const struct val *b)
{
    _cleanup_say_ struct say say;

    fn_say(call, &say);
    if (compound_kind(a) == compound_kind(b)) {
        say_text(&say, "non-comparable type ");
        say_value(&say, 's', b);
        say_text(&say, ": %s", format_type_name(b));
    } else {
        say_text(&say, "non-comparable types ");
        say_value(&say, 's', a);
        say_text(&say, ": %s, %s: ", format_type_name(a), format_type_name(b));
        say_value(&say, 'v', b);
    }
    return say_fail(&say, call->err);
}

/* Go compares the addresses of zones: those that were read as an offset are all different. */
static bool same_moment(const struct moment *a, const struct moment *b)
{
    return a == b || (moment_compare(a, b) == 0 && moment_is_utc(a) && moment_is_utc(b) && a->local == b->local);
}

static bool same_object(const struct val *a, const struct val *b)
{
    if (a->kind != b->kind)
        return false;
    if (go_is_object(a, &go_class_time) && b->opaque.class == &go_class_time.base)
        return same_moment(moment_of(a), moment_of(b));
    if (a->kind == VAL_OPAQUE)
        return a->opaque.class == b->opaque.class && a->opaque.self == b->opaque.self;
    return a->map.class == b->map.class && a->map.pairs == b->map.pairs;
}

/* Lists, maps, structs, pointers and nil. */
static int equal_compounds(struct call *call, const struct val *a, const struct val *b, bool *ret)
{
    char kind_a = compound_kind(a), kind_b = compound_kind(b);

    if (kind_a != kind_b && kind_a && kind_b)
        return fail_not_comparable(call, a, b);
    if (is_nil(a) || is_nil(b)) {
        *ret = is_nil(a) == is_nil(b);
        return 0;
    }
    if (!fn_comparable(b))
        return fail_not_comparable(call, a, b);
    if (kind_b == 's' && !go_is_object(a, &go_class_time))
        return equal_deep(call, a, b, ret);
    *ret = same_object(a, b);
    return 0;
}

static int equal_mixed(struct call *call, const struct val *a, const struct val *b, bool *ret)
{
    enum kind kind_a = kind_of(a), kind_b = kind_of(b);

    *ret = false;
    if (kind_a == KIND_INT && kind_b == KIND_UINT)
        *ret = a->i >= 0 && (uint64_t)a->i == b->u;
    else if (kind_a == KIND_UINT && kind_b == KIND_INT)
        *ret = b->i >= 0 && (uint64_t)b->i == a->u;
    else if (!val_is_nil(a) && !val_is_nil(b))
        return fail_incompatible(call, a, b);
    return 0;
}

static int equal(struct call *call, const struct val *a, const struct val *b, bool *ret)
{
    enum kind kind = kind_of(a);

    if (kind != kind_of(b))
        return equal_mixed(call, a, b, ret);
    switch (kind) {
    case KIND_BOOL:
        *ret = a->b == b->b;
        break;
    case KIND_INT:
    case KIND_UINT:
        *ret = a->u == b->u;
        break;
    case KIND_FLOAT:
        *ret = a->f == b->f;
        break;
    case KIND_COMPLEX:
        *ret = a->complex.re == b->complex.re && a->complex.im == b->complex.im;
        break;
    case KIND_STRING:
        *ret = str_eq(a->s, b->s);
        break;
    case KIND_NONE:
        return equal_compounds(call, a, b, ret);
    }
    return 0;
}

static int less_mixed(struct call *call, const struct val *a, const struct val *b, bool *ret)
{
    enum kind kind_a = kind_of(a), kind_b = kind_of(b);

    if (kind_a == KIND_INT && kind_b == KIND_UINT)
        *ret = a->i < 0 || (uint64_t)a->i < b->u;
    else if (kind_a == KIND_UINT && kind_b == KIND_INT)
        *ret = b->i >= 0 && a->u < (uint64_t)b->i;
    else
        return fail_incompatible(call, a, b);
    return 0;
}

static int less(struct call *call, const struct val *a, const struct val *b, bool *ret)
{
    enum kind kind = kind_of(a);

    if (kind != KIND_NONE && kind_of(b) != KIND_NONE && kind != kind_of(b))
        return less_mixed(call, a, b, ret);
    if (kind == KIND_NONE || kind_of(b) == KIND_NONE || kind == KIND_BOOL || kind == KIND_COMPLEX)
        return err_set(call->err, ERR_INPUT, "invalid type for comparison");
    if (kind == KIND_FLOAT)
        *ret = a->f < b->f;
    else if (kind == KIND_STRING)
        *ret = str_cmp(a->s, b->s) < 0;
    else
        *ret = kind == KIND_INT ? a->i < b->i : a->u < b->u;
    return 0;
}

static int body_eq(struct call *call, struct val *ret)
{
    bool same = false;

    if (call->argc < 2)
        return err_set(call->err, ERR_INPUT, "missing argument for comparison");
    for (size_t i = 1; i < call->argc && !same; i++) {
        if (equal(call, &call->argv[0], &call->argv[i], &same) != 0)
            return -1;
    }
    return fn_return_bool(same, ret);
}

static int body_ne(struct call *call, struct val *ret)
{
    bool same;

    return equal(call, &call->argv[0], &call->argv[1], &same) != 0 ? -1 : fn_return_bool(!same, ret);
}

static int body_lt(struct call *call, struct val *ret)
{
    bool below;

    return less(call, &call->argv[0], &call->argv[1], &below) != 0 ? -1 : fn_return_bool(below, ret);
}

static int less_or_equal(struct call *call, bool *ret)
{
    if (less(call, &call->argv[0], &call->argv[1], ret) != 0)
        return -1;
    return *ret ? 0 : equal(call, &call->argv[0], &call->argv[1], ret);
}

static int body_le(struct call *call, struct val *ret)
{
    bool below;

    return less_or_equal(call, &below) != 0 ? -1 : fn_return_bool(below, ret);
}

/* "Not at most" and "not below": with NaN both are true, as in Go. */
static int body_gt(struct call *call, struct val *ret)
{
    bool below;

    return less_or_equal(call, &below) != 0 ? -1 : fn_return_bool(!below, ret);
}

static int body_ge(struct call *call, struct val *ret)
{
    bool below;

    return less(call, &call->argv[0], &call->argv[1], &below) != 0 ? -1 : fn_return_bool(!below, ret);
}

static const struct func rows[] = {
    {"eq", "vv*", body_eq, "A B...", "True when A equals any of the others.", COST_FIND},
    {"ge", "vv", body_ge, "A B", "True when A is not less than B.", COST_FIND},
    {"gt", "vv", body_gt, "A B", "True when A is greater than B.", COST_FIND},
    {"le", "vv", body_le, "A B", "True when A is less than B or equal.", COST_FIND},
    {"lt", "vv", body_lt, "A B", "True when A is less than B.", COST_FIND},
    {"ne", "vv", body_ne, "A B", "True when A and B differ.", COST_FIND},
};

const struct func_table fn_compare = {rows, ARRAY_LEN(rows)};
