#include "go/live.h"

#include <string.h>

#include "base/limits.h"
#include "go/typed.h"

#define FIRST_ROOM 4

/* What map.target of a live map points to. */
struct live {
    struct val now; /* its pairs lie in an array of `room` */
    size_t room;
    bool walked; /* somebody walks through the pairs: the next change goes to a copy */
};

static struct live *live_of(const struct val *map)
{
    return (struct live *)map->map.target;
}

static struct val_pair *pairs_of(const struct live *live)
{
    return (struct val_pair *)live->now.map.pairs;
}

int live_map(struct arena *arena, const struct val_pair *pairs, size_t len, struct val *ret, struct err *err)
{
    size_t room = len < FIRST_ROOM ? FIRST_ROOM : len;
    struct live *live = arena_alloc(arena, sizeof(*live), err);
    struct val_pair *copy = arena_regrow(arena, pairs, len, room, sizeof(*copy), err);

    if (!live || !copy)
        return -1;
    live->room = room;
    live->now = val_map(copy, len);
    *ret = (struct val){.kind = VAL_MAP, .ref = true, .map.target = &live->now};
    return 0;
}

static int thaw(struct arena *arena, struct val *v, unsigned depth, struct err *err);

static int thaw_pairs(struct arena *arena, struct val_pair *pairs, size_t len, unsigned depth, struct err *err)
{
    for (size_t i = 0; i < len; i++) {
        if (thaw(arena, &pairs[i].value, depth, err) != 0)
            return -1;
    }
    return 0;
}

static int thaw_map(struct arena *arena, struct val *v, unsigned depth, struct err *err)
{
    if (v->ref || !v->map.pairs)
        return 0;
    if (live_map(arena, v->map.pairs, v->map.len, v, err) != 0)
        return -1;
    return thaw_pairs(arena, pairs_of(live_of(v)), live_of(v)->now.map.len, depth, err);
}

static int thaw_record(struct arena *arena, struct val *v, unsigned depth, struct err *err)
{
    struct val_pair *pairs;

    if (!v->map.pairs)
        return 0;
    pairs = arena_regrow(arena, v->map.pairs, v->map.len, v->map.len, sizeof(*pairs), err);
    if (!pairs)
        return -1;
    v->map.pairs = pairs;
    return thaw_pairs(arena, pairs, v->map.len, depth, err);
}

static bool holds_maps(const struct val *v)
{
    return v->kind == VAL_MAP || v->kind == VAL_RECORD || (v->kind == VAL_LIST && v->type == VAL_T_NATURAL);
}

static int thaw_list(struct arena *arena, struct val *v, unsigned depth, struct err *err)
{
    struct val *items;
    bool plain = true;

    for (size_t i = 0; i < v->list.len; i++)
        plain &= !holds_maps(&v->list.items[i]);
    if (plain)
        return 0;
    items = arena_regrow(arena, v->list.items, v->list.len, v->list.len, sizeof(*items), err);
    if (!items)
        return -1;
    for (size_t i = 0; i < v->list.len; i++) {
        if (thaw(arena, &items[i], depth, err) != 0)
            return -1;
    }
    v->list.items = items;
    go_set_room(v, (struct go_room){0, go_room(v).spare});
    return 0;
}

static int thaw(struct arena *arena, struct val *v, unsigned depth, struct err *err)
{
    if (!holds_maps(v))
        return 0;
    if (depth > LIMIT_DEPTH * 2)
        return err_set(err, ERR_LIMIT, "value nested deeper than %d", LIMIT_DEPTH * 2);
    if (v->kind == VAL_LIST)
        return thaw_list(arena, v, depth + 1, err);
    if (v->kind == VAL_RECORD)
        return thaw_record(arena, v, depth + 1, err);
    return v->type == VAL_T_NATURAL ? thaw_map(arena, v, depth + 1, err) : 0;
}

int live_thaw(struct arena *arena, struct val *v, struct err *err)
{
    return thaw(arena, v, 0, err);
}

/* Where `key` is, or would stand. */
static size_t position(const struct val *map, struct str key, bool *ret_found)
{
    size_t low = 0, high = map->map.len;

    *ret_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(map->map.pairs[middle].key->s, key);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Pairs that may be changed, with room for `more`. */
static int make_room(struct arena *arena, struct live *live, size_t more, struct err *err)
{
    struct val_pair *pairs;
    size_t room = live->now.map.len + more > live->room ? live->room * 2 : live->room;

    if (room == live->room && !live->walked)
        return 0;
    pairs = arena_regrow(arena, live->now.map.pairs, live->now.map.len, room, sizeof(*pairs), err);
    if (!pairs)
        return -1;
    live->now.map.pairs = pairs;
    live->room = room;
    live->walked = false;
    return 0;
}

const struct val *live_still(const struct val *v)
{
    if (v->kind == VAL_MAP && v->ref)
        live_of(v)->walked = true;
    return val_target(v);
}

/* The up-to-date map lies in its own box and is not live itself, so that val_target() ends there. */
int live_set(struct arena *arena, struct val *map, struct str key, const struct val *value, struct err *err)
{
    const struct val *own_key = NULL;
    struct val own = *value;
    struct live *live;
    bool found;
    size_t at;

    if (!map->map.pairs)
        return err_set(err, ERR_INPUT, "assignment to entry in nil map");
    if ((!map->ref && live_thaw(arena, map, err) != 0) || live_thaw(arena, &own, err) != 0)
        return -1;
    live = live_of(map);
    at = position(&live->now, key, &found);
    if (!found && live->now.map.len >= LIMIT_TEMPLATE_KEYS)
        return err_set(err, ERR_LIMIT, "a map of more than %d keys", LIMIT_TEMPLATE_KEYS);
    if (make_room(arena, live, !found, err) != 0 || (!found && !(own_key = val_key(arena, key, err))))
        return -1;
    if (!found) {
        memmove(&pairs_of(live)[at + 1], &pairs_of(live)[at], (live->now.map.len - at) * sizeof(struct val_pair));
        pairs_of(live)[at].key = own_key;
        live->now.map.len++;
    }
    pairs_of(live)[at].value = own;
    return 0;
}

int live_unset(struct arena *arena, struct val *map, struct str key, struct err *err)
{
    struct live *live;
    bool found;
    size_t at;

    if (!map->map.pairs)
        return 0;
    if (!map->ref && live_thaw(arena, map, err) != 0)
        return -1;
    live = live_of(map);
    at = position(&live->now, key, &found);
    if (!found)
        return 0;
    if (make_room(arena, live, 0, err) != 0)
        return -1;
    live->now.map.len--;
    memmove(&pairs_of(live)[at], &pairs_of(live)[at + 1], (live->now.map.len - at) * sizeof(struct val_pair));
    return 0;
}
