/* Maps. Source: consul-template. */
#include <string.h>

#include "base/limits.h"
#include "fn/fn.h"
#include "fn/merge.h"
#include "go/live.h"
#include "go/typed.h"

static int merge_two(struct call *call, bool overwrite, struct val *ret)
{
    struct val to = call->argv[0];

    if (call->argc > 2) /* options can only be nil here, and calling nil is what the original dies of */
        return err_set(call->err, ERR_INPUT, "runtime error: invalid memory address or nil pointer dereference");
    if (fn_merge(call, &to, &call->argv[1], overwrite) != 0)
        return -1;
    *ret = to;
    return 0;
}

static int body_merge_map(struct call *call, struct val *ret)
{
    return merge_two(call, false, ret);
}

static int body_merge_map_with_override(struct call *call, struct val *ret)
{
    return merge_two(call, true, ret);
}

/* ------------------------------------------------------------------------------------------------------- explodeMap */

/* Go names the whole of what it was looking at, not where it began. */
static int fail_no_map(struct call *call, struct str key, struct str top)
{
    _cleanup_say_ struct say say;

    fn_say(call, &say);
    say_text(&say, "%s: not a map: ", call->name);
    say_quoted(&say, key);
    say_text(&say, ": ");
    say_quoted(&say, top);
    say_text(&say, " already has a non-map value");
    return say_fail(&say, call->err);
}

/* The map under `top`, made when there is none. */
static int step_into(struct call *call, struct val *map, struct str top, struct str before, struct val *ret)
{
    const struct val *there = val_get_str(map, top);
    struct val made;

    if (there && (there->kind != VAL_MAP || there->type != VAL_T_NATURAL))
        return fail_no_map(call, before, top);
    if (!there) {
        if (live_map(call->arena, NULL, 0, &made, call->err) != 0 || live_set(call->arena, map, top, &made, call->err) != 0)
            return -1;
        there = &made;
    }
    *ret = *there;
    return 0;
}

static int explode(struct call *call, struct val map, const struct val_pair *pair)
{
    struct str rest = pair->key->s, before = rest;
    const char *slash;

    while ((slash = memchr(rest.data, '/', rest.len)) != NULL) {
        struct str top = {rest.data, (size_t)(slash - rest.data)};

        if (step_into(call, &map, top, before, &map) != 0)
            return -1;
        before = rest;
        rest = (struct str){slash + 1, rest.len - top.len - 1};
    }
    return rest.len ? live_set(call->arena, &map, rest, &pair->value, call->err) : 0;
}

static int body_explode_map(struct call *call, struct val *ret)
{
    const struct val *map = val_target(&call->argv[0]);
    struct val out;

    if (live_map(call->arena, NULL, 0, &out, call->err) != 0)
        return -1;
    for (size_t i = 0; i < map->map.len; i++) {
        if (explode(call, out, &map->map.pairs[i]) != 0)
            return -1;
    }
    *ret = out;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- splitToMap */

/* "KEY<separator>VALUE"; a part without separator is left out, a later one replaces an earlier. */
static int put_pair(struct call *call, struct val *map, struct str part, struct str separator)
{
    size_t at = fn_find(part, 0, separator);
    struct val value;

    if (at > part.len)
        return 0;
    value = val_str(part.data + at + separator.len, part.len - at - separator.len);
    return fn_set(call, map, (struct str){part.data, at}, &value);
}

static int body_split_to_map(struct call *call, struct val *ret)
{
    struct call split = *call;
    const struct val argv[] = {call->argv[0], call->argv[2]};
    struct val parts, map;

    split.argv = argv;
    split.argc = 2;
    if (fn_split(&split, &parts) != 0 || live_map(call->arena, NULL, 0, &map, call->err) != 0)
        return -1;
    for (size_t i = 0; i < parts.list.len; i++) {
        if (put_pair(call, &map, parts.list.items[i].s, call->argv[1].s) != 0)
            return -1;
    }
    *ret = *val_target(&map);
    ret->type = GO_T_MAP_STRINGS;
    return 0;
}

static const struct func rows[] = {
    {"explodeMap", "D", body_explode_map, "MAP", "The map with its keys split at slashes into maps of maps.", COST_SLOW},
    {"mergeMap", "DMO*", body_merge_map, "MAP FROM", "The map filled up from another, which it changes.", COST_SLOW},
    {"mergeMapWithOverride", "DM", body_merge_map_with_override, "MAP FROM",
     "The map overwritten from another, which it changes.", COST_SLOW},
    {"splitToMap", "sss", body_split_to_map, "SEPARATOR SEPARATOR TEXT",
     "The parts of the text as a map: the second separator divides key and value.", COST_SLOW},
};

const struct func_table fn_map = {rows, ARRAY_LEN(rows)};
