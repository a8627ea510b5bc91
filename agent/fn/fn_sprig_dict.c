/* Dictionaries: maps that templates make and change. Source: sprig. Where Go's order is random ours is that of the keys. */
#include "fn/fn.h"
#include "fn/merge.h"
#include "go/format.h"
#include "go/live.h"
#include "go/semver.h"
#include "go/typed.h"

static int new_dict(struct call *call, struct val *ret)
{
    return live_map(call->arena, NULL, 0, ret, call->err);
}

/* Keys are made text; a last key without value gets "". */
static int body_dict(struct call *call, struct val *ret)
{
    static const struct val empty = {.kind = VAL_STRING, .s = {"", 0}};
    struct val dict, key;

    if (new_dict(call, &dict) != 0)
        return -1;
    for (size_t i = 0; i < call->argc; i += 2) {
        const struct val *value = i + 1 < call->argc ? &call->argv[i + 1] : &empty;

        if (fn_string(call, &call->argv[i], &key) != 0 || fn_set(call, &dict, key.s, value) != 0)
            return -1;
    }
    *ret = dict;
    return 0;
}

static int body_get(struct call *call, struct val *ret)
{
    const struct val *found = val_get_str(&call->argv[0], call->argv[1].s);

    *ret = found ? *found : val_str("", 0);
    return 0;
}

static int body_has_key(struct call *call, struct val *ret)
{
    return fn_return_bool(val_get_str(&call->argv[0], call->argv[1].s) != NULL, ret);
}

static int body_set(struct call *call, struct val *ret)
{
    struct val dict = call->argv[0];

    if (fn_set(call, &dict, call->argv[1].s, &call->argv[2]) != 0)
        return -1;
    *ret = dict;
    return 0;
}

static int body_unset(struct call *call, struct val *ret)
{
    struct val dict = call->argv[0];

    if (call_spend(call, val_target(&dict)->map.len / 4) != 0 || live_unset(call->arena, &dict, call->argv[1].s, call->err) != 0)
        return -1;
    *ret = dict;
    return 0;
}

/* -------------------------------------------------------------------------------------------------- keys and values */

static int body_keys(struct call *call, struct val *ret)
{
    struct val *items;
    size_t len = 0;

    for (size_t i = 0; i < call->argc; i++)
        len += val_target(&call->argv[i])->map.len;
    items = arena_array(call->arena, len + 1, sizeof(*items), call->err);
    if (!items)
        return -1;
    *ret = go_strings(items, len);
    for (size_t i = 0; i < call->argc; i++) {
        const struct val *map = val_target(&call->argv[i]);

        for (size_t k = 0; k < map->map.len; k++)
            *items++ = *map->map.pairs[k].key;
    }
    return 0;
}

static int body_values(struct call *call, struct val *ret)
{
    const struct val *map = val_target(&call->argv[0]);
    struct val *items = arena_array(call->arena, map->map.len + 1, sizeof(*items), call->err);

    if (!items)
        return -1;
    for (size_t i = 0; i < map->map.len; i++)
        items[i] = map->map.pairs[i].value;
    *ret = val_list(items, map->map.len);
    return 0;
}

static int body_pluck(struct call *call, struct val *ret)
{
    struct val *items = arena_array(call->arena, call->argc, sizeof(*items), call->err);
    size_t len = 0;

    if (!items)
        return -1;
    for (size_t i = 1; i < call->argc; i++) {
        const struct val *found = val_get_str(&call->argv[i], call->argv[0].s);

        if (found)
            items[len++] = *found;
    }
    *ret = val_list(items, len);
    return 0;
}

static bool is_named(const struct call *call, struct str key)
{
    for (size_t i = 1; i < call->argc; i++) {
        if (str_eq(call->argv[i].s, key))
            return true;
    }
    return false;
}

/* The pairs whose keys are among the arguments, or are not. */
static int choose(struct call *call, bool named, struct val *ret)
{
    const struct val *map = val_target(&call->argv[0]);
    struct val dict;

    if (new_dict(call, &dict) != 0)
        return -1;
    for (size_t i = 0; i < map->map.len; i++) {
        const struct val_pair *pair = &map->map.pairs[i];

        if (is_named(call, pair->key->s) == named && live_set(call->arena, &dict, pair->key->s, &pair->value, call->err) != 0)
            return -1;
    }
    *ret = dict;
    return 0;
}

static int body_pick(struct call *call, struct val *ret)
{
    return choose(call, true, ret);
}

static int body_omit(struct call *call, struct val *ret)
{
    return choose(call, false, ret);
}

/* -------------------------------------------------------------------------------------------------------------- dig */

static int fail_conversion(struct call *call, const struct val *v, const char *wanted)
{
    const char *type = val_is_nil(v) ? "nil" : format_type_name(v);

    return err_set(call->err, ERR_INPUT, "interface conversion: interface {} is %s, not %s", type, wanted);
}

static int check_dict(struct call *call, const struct val *v)
{
    return v->kind == VAL_MAP && v->type == VAL_T_NATURAL ? 0 : fail_conversion(call, v, "map[string]interface {}");
}

/* KEY... DEFAULT DICT */
static int body_dig(struct call *call, struct val *ret)
{
    const struct val *step = &call->argv[call->argc - 1];
    size_t keys = call->argc - 2;

    if (call->argc < 3)
        return err_set(call->err, ERR_INPUT, "dig needs at least three arguments");
    if (check_dict(call, step) != 0)
        return -1;
    for (size_t i = 0; i < keys; i++) {
        if (call->argv[i].kind != VAL_STRING)
            return fail_conversion(call, &call->argv[i], "string");
    }
    for (size_t i = 0; i < keys && step; i++) {
        if (check_dict(call, step) != 0)
            return -1;
        step = val_get_str(step, call->argv[i].s);
    }
    *ret = step ? *step : call->argv[keys];
    return 0;
}

/* -------------------------------------------------------------------------------------------------- merge, deepCopy */

static int merge_all(struct call *call, bool overwrite, struct val *ret)
{
    struct val to = call->argv[0];

    for (size_t i = 1; i < call->argc; i++) {
        if (fn_merge(call, &to, &call->argv[i], overwrite) != 0)
            return -1;
    }
    *ret = to;
    return 0;
}

static int body_merge(struct call *call, struct val *ret)
{
    return merge_all(call, false, ret);
}

static int body_merge_overwrite(struct call *call, struct val *ret)
{
    return merge_all(call, true, ret);
}

/* The copy of a slice has as much room, with nothing in it. */
static void keep_room(const struct val *from, const struct val *copy)
{
    from = val_target(from);
    if (from->kind == VAL_LIST && !from->grown) {
        struct go_room room = go_room(from);

        go_set_room((struct val *)copy, (struct go_room){0, room.behind + room.spare});
    }
    for (size_t i = 0; from->kind == VAL_LIST && i < from->list.len; i++)
        keep_room(&from->list.items[i], &copy->list.items[i]);
    for (size_t i = 0; (from->kind == VAL_MAP || from->kind == VAL_RECORD) && i < from->map.len; i++)
        keep_room(&from->map.pairs[i].value, &copy->map.pairs[i].value);
}

static int body_deep_copy(struct call *call, struct val *ret)
{
    if (val_is_nil(&call->argv[0]))
        return err_set(call->err, ERR_INPUT, "reflect: call of reflect.Value.Type on zero Value");
    if (call->argv[0].kind == VAL_OPAQUE &&
        call->argv[0].opaque.class == &go_class_semver.base) /* its fields are hidden from the copier */
        return semver_value(call->arena, &(struct semver){.prerelease = STR(""), .metadata = STR(""), .original = STR("")}, ret,
                            call->err);
    if (val_copy(call->arena, &call->argv[0], ret, call->err) != 0)
        return -1;
    keep_room(&call->argv[0], ret);
    return 0;
}

static const struct func rows[] = {
    {"sprig_deepCopy", "a", body_deep_copy, "VALUE", "The value with copies of all maps and lists in it."},
    {"sprig_dict", "a*", body_dict, "KEY VALUE...", "A dictionary of the pairs."},
    {"sprig_dig", "a*", body_dig, "KEY... DEFAULT DICT", "What lies under the keys one in another, or the default.", COST_LOOK},
    {"sprig_get", "Ms", body_get, "DICT KEY", "The value of the key, or \"\".", COST_LOOK},
    {"sprig_hasKey", "Ms", body_has_key, "DICT KEY", "True when the dictionary has the key.", COST_LOOK},
    {"sprig_keys", "M*", body_keys, "DICT...", "The keys of the dictionaries."},
    {"sprig_merge", "DM*", body_merge, "DICT FROM...", "The dictionary filled up from others, which it changes.", COST_SLOW},
    {"sprig_mergeOverwrite", "DM*", body_merge_overwrite, "DICT FROM...",
     "The dictionary overwritten from others, which it changes.", COST_SLOW},
    {"sprig_mustDeepCopy", "a", body_deep_copy, "VALUE", "The value with copies of all maps and lists in it."},
    {"sprig_mustMerge", "DM*", body_merge, "DICT FROM...", "The dictionary filled up from others, which it changes.", COST_SLOW},
    {"sprig_mustMergeOverwrite", "DM*", body_merge_overwrite, "DICT FROM...",
     "The dictionary overwritten from others, which it changes.", COST_SLOW},
    {"sprig_omit", "Ms*", body_omit, "DICT KEY...", "A dictionary without the keys."},
    {"sprig_pick", "Ms*", body_pick, "DICT KEY...", "A dictionary of the keys only."},
    {"sprig_pluck", "sM*", body_pluck, "KEY DICT...", "The values of the key in the dictionaries.", COST_LOOK},
    {"sprig_set", "Dsa", body_set, "DICT KEY VALUE", "The dictionary with the value set, which it changes.", COST_LOOK},
    {"sprig_unset", "Ds", body_unset, "DICT KEY", "The dictionary without the key, which it changes.", COST_LOOK},
    {"sprig_values", "M", body_values, "DICT", "The values of the dictionary."},
};

const struct func_table fn_sprig_dict = {rows, ARRAY_LEN(rows)};
