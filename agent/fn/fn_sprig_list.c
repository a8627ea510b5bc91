/* Lists. Source: sprig. Every function has a twin `must…`; where sprig panics Go's template engine reports the same text as an
 * error. */
#include <stdlib.h>

#include "fn/cast.h"
#include "fn/equal.h"
#include "fn/fn.h"
#include "go/typed.h"
#include "tpl/access.h"

/* The list, or Go's words: WHAT is "Cannot push on type". */
static int list_of(struct call *call, const struct val *v, const char *what, const struct val **ret)
{
    if (val_is_nil(v))
        return fn_fail_nil(call);
    if (v->kind != VAL_LIST)
        return err_set(call->err, ERR_INPUT, "%s %s", what, cast_kind(v));
    *ret = v;
    return 0;
}

static struct val *new_items(struct call *call, size_t count)
{
    return arena_array(call->arena, count + 1, sizeof(struct val), call->err);
}

/* ----------------------------------------------------------------------------------------------- one list from many */

static int body_list(struct call *call, struct val *ret)
{
    struct val *items = arena_regrow(call->arena, call->argv, call->argc, call->argc + 1, sizeof(*items), call->err);

    if (!items)
        return -1;
    *ret = val_list(items, call->argc);
    return 0;
}

/* `list` with one more, at the front or at the end. */
static int add_one(struct call *call, const char *what, bool front, struct val *ret)
{
    const struct val *list;
    struct val *items;

    if (list_of(call, &call->argv[0], what, &list) != 0)
        return -1;
    items = new_items(call, list->list.len + 1);
    if (!items)
        return -1;
    for (size_t i = 0; i < list->list.len; i++)
        items[i + front] = list->list.items[i];
    items[front ? 0 : list->list.len] = call->argv[1];
    *ret = val_list(items, list->list.len + 1);
    return 0;
}

static int body_push(struct call *call, struct val *ret)
{
    return add_one(call, "Cannot push on type", false, ret);
}

static int body_prepend(struct call *call, struct val *ret)
{
    return add_one(call, "Cannot prepend on type", true, ret);
}

static int fail_concat(struct call *call, const struct val *v)
{
    return err_set(call->err, ERR_INPUT, "Cannot concat type %s as list", cast_kind(v));
}

static int body_concat(struct call *call, struct val *ret)
{
    struct val *items;
    size_t len = 0;

    for (size_t i = 0; i < call->argc; i++) {
        if (val_is_nil(&call->argv[i]))
            return fn_fail_nil(call);
        if (call->argv[i].kind != VAL_LIST)
            return fail_concat(call, &call->argv[i]);
        len += call->argv[i].list.len;
    }
    items = new_items(call, len);
    if (!items)
        return -1;
    *ret = val_list(len ? items : NULL, len);
    go_box(ret, true); /* as Go declares it */
    for (size_t i = 0; i < call->argc; i++) {
        for (size_t k = 0; k < call->argv[i].list.len; k++)
            *items++ = call->argv[i].list.items[k];
    }
    return 0;
}

/* -------------------------------------------------------------------------------------------------- parts of a list */

/* A part as a list of its own; of an empty list it is nil. */
static int return_range(struct call *call, const struct val *list, size_t from, size_t len, struct val *ret)
{
    struct val *items = arena_regrow(call->arena, list->list.items + from, len, len + 1, sizeof(*items), call->err);

    if (!items)
        return -1;
    *ret = val_list(items, len);
    return 0;
}

static int body_first(struct call *call, struct val *ret)
{
    const struct val *list;

    if (list_of(call, &call->argv[0], "Cannot find first on type", &list) != 0)
        return -1;
    *ret = list->list.len ? list->list.items[0] : val_null();
    return 0;
}

static int body_last(struct call *call, struct val *ret)
{
    const struct val *list;

    if (list_of(call, &call->argv[0], "Cannot find last on type", &list) != 0)
        return -1;
    *ret = list->list.len ? list->list.items[list->list.len - 1] : val_null();
    return 0;
}

static int all_but_one(struct call *call, const char *what, size_t from, struct val *ret)
{
    const struct val *list;

    if (list_of(call, &call->argv[0], what, &list) != 0)
        return -1;
    *ret = val_list(NULL, 0);
    return list->list.len ? return_range(call, list, from, list->list.len - 1, ret) : 0;
}

static int body_rest(struct call *call, struct val *ret)
{
    return all_but_one(call, "Cannot find rest on type", 1, ret);
}

static int body_initial(struct call *call, struct val *ret)
{
    return all_but_one(call, "Cannot find initial on type", 0, ret);
}

static int body_slice(struct call *call, struct val *ret)
{
    const struct val *list;
    struct go_room room;
    int64_t from, to;

    if (list_of(call, &call->argv[0], "list should be type of slice or array but", &list) != 0)
        return -1;
    *ret = val_null();
    if (list->list.len == 0)
        return 0;
    from = call->argc > 1 ? cast_int(&call->argv[1]) : 0;
    to = call->argc > 2 ? cast_int(&call->argv[2]) : (int64_t)list->list.len;
    if (from < 0 || to < from || to > (int64_t)list->list.len)
        return err_set(call->err, ERR_INPUT, "reflect.Value.Slice: slice index out of bounds");
    room = go_room(list);
    *ret = *list;
    ret->list.items += from;
    ret->list.len = (size_t)(to - from);
    go_set_room(ret, (struct go_room){room.behind + list->list.len - ret->list.len - (size_t)from, room.spare});
    return 0;
}

static int fill_chunks(struct call *call, const struct val *list, size_t size, struct val *chunks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t from = i * size, left = list->list.len - from;

        if (return_range(call, list, from, left < size ? left : size, &chunks[i]) != 0)
            return -1;
    }
    return 0;
}

/* Go computes with floats here; sizes under 1 end in its panics, but for a list of one. */
static int body_chunk(struct call *call, struct val *ret)
{
    int64_t size = call->argv[0].i;
    const struct val *list;
    struct val *chunks;
    size_t count;

    if (list_of(call, &call->argv[1], "Cannot chunk type", &list) != 0)
        return -1;
    if (size < -1 && list->list.len == 1)
        size = 1;
    if (size < 1 && (list->list.len < 2 || size == 0 || (uint64_t)list->list.len - 1 > (uint64_t)-size))
        return err_set(call->err, ERR_INPUT, "runtime error: makeslice: len out of range");
    count = size > 0 && list->list.len ? (list->list.len - 1) / (uint64_t)size + 1 : 0;
    chunks = new_items(call, count);
    if (!chunks || fill_chunks(call, list, (size_t)size, chunks, count) != 0)
        return -1;
    *ret = val_list(chunks, count);
    ret->type = GO_T_LISTS;
    return 0;
}

/* ----------------------------------------------------------------------------------- chosen items, in another order */

typedef int is_kept(struct call *call, const struct val *item, const struct val *kept, size_t len, bool *ret);

static int filter(struct call *call, const char *what, is_kept *keeps, struct val *ret)
{
    const struct val *list;
    struct val *items;
    size_t len = 0;

    if (list_of(call, &call->argv[0], what, &list) != 0)
        return -1;
    items = new_items(call, list->list.len);
    if (!items)
        return -1;
    for (size_t i = 0; i < list->list.len; i++) {
        bool keep;

        if (keeps(call, &list->list.items[i], items, len, &keep) != 0)
            return -1;
        if (keep)
            items[len++] = list->list.items[i];
    }
    *ret = val_list(items, len);
    return 0;
}

static int keeps_full(struct call *call, const struct val *item, const struct val *kept, size_t len, bool *ret)
{
    (void)call, (void)kept, (void)len;
    *ret = access_truth(item);
    return 0;
}

static int keeps_new(struct call *call, const struct val *item, const struct val *kept, size_t len, bool *ret)
{
    bool there;
    int rc = equal_to_any(call, item, kept, len, &there);

    *ret = !there;
    return rc;
}

static int keeps_others(struct call *call, const struct val *item, const struct val *kept, size_t len, bool *ret)
{
    (void)kept, (void)len;
    return keeps_new(call, item, call->argv + 1, call->argc - 1, ret);
}

static int body_compact(struct call *call, struct val *ret)
{
    return filter(call, "Cannot compact on type", keeps_full, ret);
}

static int body_uniq(struct call *call, struct val *ret)
{
    return filter(call, "Cannot find uniq on type", keeps_new, ret);
}

static int body_without(struct call *call, struct val *ret)
{
    return filter(call, "Cannot find without on type", keeps_others, ret);
}

static int body_reverse(struct call *call, struct val *ret)
{
    const struct val *list;
    struct val *items;

    if (list_of(call, &call->argv[0], "Cannot find reverse on type", &list) != 0)
        return -1;
    items = new_items(call, list->list.len);
    if (!items)
        return -1;
    for (size_t i = 0; i < list->list.len; i++)
        items[i] = list->list.items[list->list.len - 1 - i];
    *ret = val_list(items, list->list.len);
    return 0;
}

static int body_has(struct call *call, struct val *ret)
{
    const struct val *list = NULL;

    if (!val_is_nil(&call->argv[1]) && list_of(call, &call->argv[1], "Cannot find has on type", &list) != 0)
        return -1;
    bool there = false;

    if (list && equal_to_any(call, &call->argv[0], list->list.items, list->list.len, &there) != 0)
        return -1;
    return fn_return_bool(there, ret);
}

static const struct val nil_text = {.kind = VAL_STRING, .s = {"<nil>", 5}};

static int compare_strings(const void *a, const void *b)
{
    return str_cmp(((const struct val *)a)->s, ((const struct val *)b)->s);
}

/* What is no list is a list of itself, nil included. */
static int body_sort_alpha(struct call *call, struct val *ret)
{
    struct val strings, *items;

    if (val_is_nil(&call->argv[0]))
        strings = go_strings(&nil_text, 1);
    else if (fn_strings(call, &call->argv[0], &strings) != 0)
        return -1;
    items = arena_regrow(call->arena, strings.list.items, strings.list.len, strings.list.len + 1, sizeof(*items), call->err);
    if (!items)
        return -1;
    qsort(items, strings.list.len, sizeof(*items), compare_strings);
    *ret = go_strings(strings.list.items ? items : NULL, strings.list.len);
    return 0;
}

static const struct func rows[] = {
    {"sprig_append", "aa", body_push, "LIST VALUE", "A new list with the value at the end.", COST_LOOK},
    {"sprig_chunk", "ia", body_chunk, "SIZE LIST", "The list cut into lists of that size."},
    {"sprig_compact", "a", body_compact, "LIST", "The list without empty values."},
    {"sprig_concat", "a*", body_concat, "LIST...", "One list of all items."},
    {"sprig_first", "a", body_first, "LIST", "The first item, or nil.", COST_LOOK},
    {"sprig_has", "aa", body_has, "VALUE LIST", "True when the list holds the value.", COST_LOOK},
    {"sprig_initial", "a", body_initial, "LIST", "All items but the last."},
    {"sprig_last", "a", body_last, "LIST", "The last item, or nil.", COST_LOOK},
    {"sprig_list", "a*", body_list, "VALUE...", "A list of the values.", COST_LOOK},
    {"sprig_mustAppend", "aa", body_push, "LIST VALUE", "A new list with the value at the end.", COST_LOOK},
    {"sprig_mustChunk", "ia", body_chunk, "SIZE LIST", "The list cut into lists of that size."},
    {"sprig_mustCompact", "a", body_compact, "LIST", "The list without empty values."},
    {"sprig_mustFirst", "a", body_first, "LIST", "The first item, or nil.", COST_LOOK},
    {"sprig_mustHas", "aa", body_has, "VALUE LIST", "True when the list holds the value.", COST_LOOK},
    {"sprig_mustInitial", "a", body_initial, "LIST", "All items but the last."},
    {"sprig_mustLast", "a", body_last, "LIST", "The last item, or nil.", COST_LOOK},
    {"sprig_mustPrepend", "aa", body_prepend, "LIST VALUE", "A new list with the value at the front.", COST_LOOK},
    {"sprig_mustPush", "aa", body_push, "LIST VALUE", "A new list with the value at the end.", COST_LOOK},
    {"sprig_mustRest", "a", body_rest, "LIST", "All items but the first."},
    {"sprig_mustReverse", "a", body_reverse, "LIST", "The items in reverse order."},
    {"sprig_mustSlice", "aa*", body_slice, "LIST [FROM [TO]]", "A part of the list.", COST_LOOK},
    {"sprig_mustUniq", "a", body_uniq, "LIST", "The list without repeated values."},
    {"sprig_mustWithout", "aa*", body_without, "LIST VALUE...", "The list without the values."},
    {"sprig_prepend", "aa", body_prepend, "LIST VALUE", "A new list with the value at the front.", COST_LOOK},
    {"sprig_push", "aa", body_push, "LIST VALUE", "A new list with the value at the end.", COST_LOOK},
    {"sprig_rest", "a", body_rest, "LIST", "All items but the first."},
    {"sprig_reverse", "a", body_reverse, "LIST", "The items in reverse order."},
    {"sprig_slice", "aa*", body_slice, "LIST [FROM [TO]]", "A part of the list.", COST_LOOK},
    {"sprig_sortAlpha", "a", body_sort_alpha, "LIST", "The items as strings, sorted.", COST_SLOW},
    {"sprig_tuple", "a*", body_list, "VALUE...", "A list of the values.", COST_LOOK},
    {"sprig_uniq", "a", body_uniq, "LIST", "The list without repeated values."},
    {"sprig_without", "aa*", body_without, "LIST VALUE...", "The list without the values."},
};

const struct func_table fn_sprig_list = {rows, ARRAY_LEN(rows)};
