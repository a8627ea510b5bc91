#include "fn/merge.h"

#include "base/limits.h"
#include "go/live.h"
#include "go/typed.h"
#include "tpl/access.h"

/* mergo's idea of empty looks behind pointers, and structs never are. */
static bool is_empty(const struct val *v)
{
    return v->kind == VAL_RECORD ? go_class_of(v)->pointer && !v->map.pairs : v->kind != VAL_OPAQUE && !access_truth(v);
}

static bool is_map(const struct val *v)
{
    return v->kind == VAL_MAP && v->type == VAL_T_NATURAL;
}

static int merge(struct arena *arena, struct val *to, const struct val *from, bool overwrite, unsigned depth, struct err *err);

static int merge_key(struct arena *arena, struct val *to, const struct val_pair *pair, bool overwrite, unsigned depth,
                     struct err *err)
{
    const struct val *there = val_get_str(to, pair->key->s), *value = &pair->value;

    if (val_is_nil(value))
        return overwrite ? live_set(arena, to, pair->key->s, value, err) : 0;
    if (there && is_map(value) && is_map(there)) {
        struct val inner = *there;

        if (inner.map.pairs && merge(arena, &inner, value, overwrite, depth + 1, err) != 0)
            return -1;
        if (val_target(&inner)->map.len > 0)
            return 0;
    }
    if (there && !is_empty(there) && !overwrite)
        return 0;
    return live_set(arena, to, pair->key->s, value, err);
}

static int merge(struct arena *arena, struct val *to, const struct val *from, bool overwrite, unsigned depth, struct err *err)
{
    const struct val source =
        *live_still(from); /* the keys of now: a map may be merged into a part of itself, and grow meanwhile */

    if (depth > LIMIT_DEPTH * 2)
        return err_set(err, ERR_LIMIT, "maps nested deeper than %d", LIMIT_DEPTH * 2);
    for (size_t i = 0; i < source.map.len; i++) {
        if (merge_key(arena, to, &source.map.pairs[i], overwrite, depth, err) != 0)
            return -1;
    }
    return 0;
}

int merge_maps(struct arena *arena, struct val *to, const struct val *from, bool overwrite, struct err *err)
{
    if (!from->map.pairs)
        return 0;
    if (!to->map.pairs && live_map(arena, NULL, 0, to, err) != 0)
        return -1;
    if (!to->ref && live_thaw(arena, to, err) != 0)
        return -1;
    return merge(arena, to, from, overwrite, 0, err);
}
