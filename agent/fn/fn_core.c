/* The built-in functions of Go's text/template that look into values or print them. Rules and texts are Go's. */
#include "fn/fn.h"
#include "go/channel.h"
#include "go/format.h"
#include "go/typed.h"
#include "tpl/access.h"

/* Go follows pointers before it names a type. */
static const char *followed_type_name(const struct val *v)
{
    const char *name = format_type_name(v);

    return name[0] == '*' ? name + 1 : name;
}

static bool is_nil_pointer(const struct val *v)
{
    return val_is_nil(v) || (v->kind == VAL_RECORD && go_class_of(v)->pointer && v->map.pairs == NULL);
}

static bool is_text(const struct val *v)
{
    return v->kind == VAL_STRING || v->kind == VAL_NUMBER;
}

/* ------------------------------------------------------------------------------------------------------------ truth */

/* The evaluator answers and, or without evaluating more than it needs; these are the rows that it finds and the same rule. */
static int body_and(struct call *call, struct val *ret)
{
    size_t i = 0;

    while (i + 1 < call->argc && access_truth(&call->argv[i]))
        i++;
    *ret = call->argv[i];
    return 0;
}

static int body_or(struct call *call, struct val *ret)
{
    size_t i = 0;

    while (i + 1 < call->argc && !access_truth(&call->argv[i]))
        i++;
    *ret = call->argv[i];
    return 0;
}

static int body_not(struct call *call, struct val *ret)
{
    return fn_return_bool(!access_truth(&call->argv[0]), ret);
}

/* No data holds a function, so this can only say what it was given instead. */
static int body_call(struct call *call, struct val *ret)
{
    (void)ret;
    if (val_is_nil(&call->argv[0]))
        return err_set(call->err, ERR_INPUT, "call of nil");
    return err_set(call->err, ERR_INPUT, "non-function %s of type %s", call->name, format_type_name(&call->argv[0]));
}

/* ------------------------------------------------------------------------------------------------ index, slice, len */

static int fail_range(struct call *call, int64_t i)
{
    _cleanup_say_ struct say say;

    fn_say(call, &say);
    say_text(&say, "index out of range: ");
    say_int(&say, i);
    return say_fail(&say, call->err);
}

/* An index into something with `len` places. */
static int position(struct call *call, const struct val *v, size_t len, size_t *ret)
{
    if (val_is_nil(v))
        return err_set(call->err, ERR_INPUT, "cannot index slice/array with nil");
    if (v->kind != VAL_INT && v->kind != VAL_UINT)
        return err_set(call->err, ERR_INPUT, "cannot index slice/array with type %s", format_type_name(v));
    if (v->i < 0 || (uint64_t)v->i > len)
        return fail_range(call, v->i);
    *ret = (size_t)v->i;
    return 0;
}

static int index_list(struct call *call, struct val *item, const struct val *at)
{
    size_t i;

    if (position(call, at, item->list.len, &i) != 0)
        return -1;
    if (i == item->list.len)
        return err_set(call->err, ERR_INPUT, "reflect: slice index out of range");
    *item = item->list.items[i];
    return 0;
}

static int index_text(struct call *call, struct val *item, const struct val *at)
{
    bool bytes = item->kind == VAL_STRING && item->type == VAL_T_BYTES;
    size_t i;

    if (position(call, at, item->s.len, &i) != 0)
        return -1;
    if (i == item->s.len)
        return err_set(call->err, ERR_INPUT, "reflect: %s index out of range", bytes ? "slice" : "string");
    *item = (struct val){.kind = VAL_UINT, .type = GO_T_UINT8, .u = (unsigned char)item->s.data[i]};
    return 0;
}

/* May `key` be used with this map? Go's words when not. */
static int check_key(struct call *call, const struct val *map, const struct val *key)
{
    if (map->type == VAL_T_ANY_KEY) {
        if (!fn_comparable(key))
            return err_set(call->err, ERR_INPUT, "runtime error: hash of unhashable type %s", format_type_name(key));
        return 0;
    }
    if (val_is_nil(key))
        return err_set(call->err, ERR_INPUT, "value is nil; should be of type string");
    if (key->kind != VAL_STRING || key->type == VAL_T_BYTES)
        return err_set(call->err, ERR_INPUT, "value has type %s; should be string", format_type_name(key));
    return 0;
}

static const struct val *find_any_key(const struct val *map, const struct val *key)
{
    for (size_t i = 0; i < map->map.len; i++) {
        const struct val *there = map->map.pairs[i].key;

        if (there->kind == key->kind && there->type == key->type && val_equal(there, key))
            return &map->map.pairs[i].value;
    }
    return NULL;
}

/* What is not there is the zero of the map's element type, whatever the option missingkey says. */
static int index_map(struct call *call, struct val *item, const struct val *key)
{
    const struct val *found;

    if (check_key(call, item, key) != 0)
        return -1;
    found = item->type == VAL_T_ANY_KEY ? find_any_key(item, key) : val_get_str(item, key->s);
    if (found)
        *item = *found;
    else
        *item = item->type == GO_T_MAP_STRINGS ? val_str("", 0) : val_null();
    return 0;
}

static int index_step(struct call *call, struct val *item, const struct val *at)
{
    if (is_nil_pointer(item))
        return err_set(call->err, ERR_INPUT, "index of nil pointer");
    if (item->kind == VAL_LIST)
        return index_list(call, item, at);
    if (is_text(item))
        return index_text(call, item, at);
    if (item->kind == VAL_MAP)
        return index_map(call, item, at);
    return err_set(call->err, ERR_INPUT, "can't index item of type %s", followed_type_name(item));
}

static int body_index(struct call *call, struct val *ret)
{
    struct val item = call->argv[0];

    if (val_is_nil(&item))
        return err_set(call->err, ERR_INPUT, "index of untyped nil");
    for (size_t i = 1; i < call->argc; i++) {
        if (index_step(call, &item, &call->argv[i]) != 0)
            return -1;
    }
    *ret = item;
    return 0;
}

static int check_sliceable(struct call *call, const struct val *item)
{
    if (val_is_nil(item))
        return err_set(call->err, ERR_INPUT, "slice of untyped nil");
    if (is_nil_pointer(item))
        return err_set(call->err, ERR_INPUT, "slice of nil pointer");
    if (call->argc > 4)
        return err_set(call->err, ERR_INPUT, "too many slice indexes: %zu", call->argc - 1);
    if (!is_text(item) && item->kind != VAL_LIST)
        return err_set(call->err, ERR_INPUT, "can't slice item of type %s", followed_type_name(item));
    if (call->argc == 4 && is_text(item) && item->type != VAL_T_BYTES)
        return err_set(call->err, ERR_INPUT, "cannot 3-index slice a string");
    return 0;
}

/* Items from..to of a list with places up to `room`. Go lets a slice grow into what lies behind its end; behind the items there
 * is nil. */
static int slice_list(struct call *call, const struct val *list, const size_t at[3], struct val *ret)
{
    size_t there = list->list.len + go_room(list).behind, len = at[1] - at[0];
    struct go_room room;
    struct val *items;

    *ret = *list;
    ret->list.len = len;
    room.behind = at[1] > there ? 0 : (at[2] < there ? at[2] : there) - at[1];
    room.spare = at[2] - at[1] - room.behind;
    go_set_room(ret, room);
    if (at[1] <= there) {
        ret->list.items = list->list.items ? list->list.items + at[0] : NULL;
        return 0;
    }
    items = arena_array(call->arena, len, sizeof(*items), call->err);
    if (!items)
        return -1;
    for (size_t i = 0; i < len; i++)
        items[i] = at[0] + i < there ? list->list.items[at[0] + i] : val_null();
    ret->list.items = items;
    return 0;
}

static int body_slice(struct call *call, struct val *ret)
{
    struct val item = call->argv[0];
    size_t len, at[3];

    if (check_sliceable(call, &item) != 0)
        return -1;
    len = is_text(&item) ? item.s.len : item.list.len + go_room(&item).behind + go_room(&item).spare;
    at[0] = 0;
    at[1] = is_text(&item) ? len : item.list.len;
    at[2] = len;
    for (size_t i = 1; i < call->argc; i++) {
        if (go_boxed(&call->argv[i])) /* Go's slice looks into no interface {}, unlike its index */
            return err_set(call->err, ERR_INPUT, "cannot index slice/array with type interface {}");
        if (position(call, &call->argv[i], len, &at[i - 1]) != 0)
            return -1;
    }
    for (size_t i = 0; i < 2; i++) {
        if (at[i] > at[i + 1])
            return err_set(call->err, ERR_INPUT, "invalid slice index: %zu > %zu", at[i], at[i + 1]);
    }
    if (!is_text(&item))
        return slice_list(call, &item, at, ret);
    item.s = (struct str){item.s.data + at[0], at[1] - at[0]};
    *ret = item;
    return 0;
}

static int body_len(struct call *call, struct val *ret)
{
    const struct val *v = &call->argv[0];

    if (v->kind == VAL_MISSING)
        return err_set(call->err, ERR_INPUT, "reflect: call of reflect.Value.Type on zero Value");
    if (is_nil_pointer(v))
        return err_set(call->err, ERR_INPUT, "len of nil pointer");
    if (is_text(v))
        return fn_return_int((int64_t)v->s.len, ret);
    if (v->kind == VAL_LIST)
        return fn_return_int((int64_t)v->list.len, ret);
    if (v->kind == VAL_MAP)
        return fn_return_int((int64_t)val_target(v)->map.len, ret);
    /* A channel without a buffer has nothing in it. */
    if (go_is_object(v, &go_class_channel))
        return fn_return_int(0, ret);
    return err_set(call->err, ERR_INPUT, "len of type %s", followed_type_name(v));
}

/* --------------------------------------------------------------------------------------------------------- printing */

static int body_print(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    format_sprint(text, call->argv, call->argc);
    return fn_return_buf(call, text, ret);
}

static int body_println(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    format_sprintln(text, call->argv, call->argc);
    return fn_return_buf(call, text, ret);
}

static int body_printf(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    format_sprintf(text, call->argv[0].s, call->argv + 1, call->argc - 1);
    return fn_return_buf(call, text, ret);
}

static const struct func rows[] = {
    {"and", "vv*", body_and, "A B...", "The first argument that is false, or the last one.", COST_LOOK},
    {"call", "vv*", body_call, "FUNCTION ARG...", "Call a value that is a function; data holds none.", COST_LOOK},
    {"index", "vv*", body_index, "ITEM KEY...", "The element of a list, map or string under the keys, one after the other.",
     COST_LOOK},
    {"len", "v", body_len, "ITEM", "The length of a string in bytes, or of a list or map.", COST_LOOK},
    {"not", "v", body_not, "A", "True when A is false or empty.", COST_LOOK},
    {"or", "vv*", body_or, "A B...", "The first argument that is true, or the last one.", COST_LOOK},
    {"print", "a*", body_print, "ARG...", "The arguments as text, with a space between two that are not strings."},
    {"printf", "sa*", body_printf, "FORMAT ARG...", "The arguments as the format says."},
    {"println", "a*", body_println, "ARG...", "The arguments as text with spaces between and a newline behind."},
    {"slice", "vv*", body_slice, "ITEM [FROM [TO [CAP]]]", "A part of a string or list.", COST_LOOK},
};

const struct func_table fn_core = {rows, ARRAY_LEN(rows)};
