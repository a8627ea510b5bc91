/* `scratch`, an object that keeps values during one execution. Source: consul-template. */
#include "fn/fn.h"
#include "go/format.h"
#include "go/live.h"
#include "go/typed.h"

/* self is the live map of what was set. */
static struct val *values_of(const struct val *self)
{
    return self->opaque.self;
}

static int return_empty(struct val *ret)
{
    *ret = val_str("", 0);
    return 0;
}

static int on_key(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                  struct err *err)
{
    (void)argc, (void)arena, (void)err;
    *ret = val_bool(val_get_str(values_of(self), argv[0].s) != NULL);
    return 0;
}

static int on_get(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                  struct err *err)
{
    const struct val *found = val_get_str(values_of(self), argv[0].s);

    (void)argc, (void)arena, (void)err;
    *ret = found ? *found : val_null();
    return 0;
}

static int on_set(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                  struct err *err)
{
    (void)argc;
    if (live_set(arena, values_of(self), argv[0].s, &argv[1], err) != 0)
        return -1;
    return return_empty(ret);
}

static int on_set_x(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                    struct err *err)
{
    if (val_get_str(values_of(self), argv[0].s))
        return return_empty(ret);
    return on_set(self, argv, argc, arena, ret, err);
}

static int fail_no_map(struct str name, struct err *err)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, ERR_TEXT_MAX * 4);
    format_quote(&text, name);
    return err_set(err, ERR_INPUT, "%s is not a map", text.data);
}

/* The map of that name, made when there is none. */
static int map_of(const struct val *self, struct str name, struct arena *arena, struct val *ret, struct err *err)
{
    const struct val *found = val_get_str(values_of(self), name);

    if (found && (found->kind != VAL_MAP || found->type != VAL_T_NATURAL))
        return fail_no_map(name, err);
    if (found) {
        *ret = *found;
        return 0;
    }
    if (live_map(arena, NULL, 0, ret, err) != 0)
        return -1;
    return live_set(arena, values_of(self), name, ret, err);
}

static int on_map_set(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                      struct err *err)
{
    struct val map;

    (void)argc;
    if (map_of(self, argv[0].s, arena, &map, err) != 0 || live_set(arena, &map, argv[1].s, &argv[2], err) != 0)
        return -1;
    return return_empty(ret);
}

static int on_map_set_x(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                        struct err *err)
{
    struct val map;

    (void)argc;
    if (map_of(self, argv[0].s, arena, &map, err) != 0)
        return -1;
    if (!val_get_str(&map, argv[1].s) && live_set(arena, &map, argv[1].s, &argv[2], err) != 0)
        return -1;
    return return_empty(ret);
}

static int on_map_values(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                         struct err *err)
{
    const struct val *map = val_get_str(values_of(self), argv[0].s);
    struct val *items;

    (void)argc;
    if (!map || map->kind != VAL_MAP || map->type != VAL_T_NATURAL) {
        *ret = val_list(NULL, 0);
        return 0;
    }
    map = val_target(map);
    items = arena_array(arena, map->map.len + 1, sizeof(*items), err);
    if (!items)
        return -1;
    for (size_t i = 0; i < map->map.len; i++)
        items[i] = map->map.pairs[i].value;
    *ret = val_list(items, map->map.len);
    return 0;
}

static const struct go_method methods[] = {
    {"Get", "s", on_get},
    {"Key", "s", on_key},
    {"MapSet", "ssa", on_map_set},
    {"MapSetX", "ssa", on_map_set_x},
    {"MapValues", "s", on_map_values},
    {"Set", "sa", on_set},
    {"SetX", "sa", on_set_x},
};

static const struct go_class scratch_class = {
    .base.name = "*template.Scratch", .pointer = true, .methods = methods, .method_count = ARRAY_LEN(methods)};

static int body_scratch(struct call *call, struct val *ret)
{
    struct val *values = call->kept ? call->kept : arena_alloc(call->arena, sizeof(*values), call->err);

    if (!values || (values->kind != VAL_MAP && live_map(call->arena, NULL, 0, values, call->err) != 0))
        return -1;
    *ret = go_object(values, &scratch_class);
    return 0;
}

static const struct func rows[] = {
    {"scratch", "", body_scratch, "",
     "A place for values during this execution: .Set .SetX .Get .Key .MapSet .MapSetX .MapValues"},
};

const struct func_table fn_object = {rows, ARRAY_LEN(rows)};
