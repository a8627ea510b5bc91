#include "tpl/equal.h"

#include "base/limits.h"

static bool equal(const struct val *a, const struct val *b, unsigned depth);

/* Go compares where things lie first, so a list that holds NaN equals itself. */
static bool equal_lists(const struct val *a, const struct val *b, unsigned depth)
{
    if (a->list.len != b->list.len || !a->list.items != !b->list.items)
        return false;
    for (size_t i = 0; a->list.items != b->list.items && i < a->list.len; i++) {
        if (!equal(&a->list.items[i], &b->list.items[i], depth + 1))
            return false;
    }
    return true;
}

static bool equal_maps(const struct val *a, const struct val *b, unsigned depth)
{
    a = val_now(a);
    b = val_now(b);
    if (a->map.len != b->map.len || !a->map.pairs != !b->map.pairs)
        return false;
    for (size_t i = 0; a->map.pairs != b->map.pairs && i < a->map.len; i++) {
        if (!equal(&a->map.pairs[i].key, &b->map.pairs[i].key, depth + 1) ||
            !equal(&a->map.pairs[i].value, &b->map.pairs[i].value, depth + 1))
            return false;
    }
    return true;
}

static bool equal(const struct val *a, const struct val *b, unsigned depth)
{
    if (val_is_nil(a) || val_is_nil(b))
        return val_is_nil(a) && val_is_nil(b);
    if (a->kind != b->kind || a->type != b->type || depth > LIMIT_PRINT_DEPTH)
        return false;
    if (a->kind == VAL_LIST)
        return equal_lists(a, b, depth);
    if (a->kind == VAL_MAP)
        return equal_maps(a, b, depth);
    if (a->kind == VAL_RECORD)
        return a->map.class == b->map.class && equal_maps(a, b, depth);
    return val_equal(a, b);
}

bool equal_deep(const struct val *a, const struct val *b)
{
    return equal(a, b, 0);
}

bool equal_to_any(const struct val *v, const struct val *items, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (equal_deep(v, &items[i]))
            return true;
    }
    return false;
}
