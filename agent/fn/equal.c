#include "fn/equal.h"

#include <string.h>

#include "base/limits.h"
#include "go/moment_object.h"
#include "go/semver.h"

/* A pair takes as long as two ops. */
#define STEPS 2

static bool equal(size_t *pairs, const struct val *a, const struct val *b, unsigned depth);

/* Go compares where things lie first, so a list that holds NaN equals itself. */
static bool equal_lists(size_t *pairs, const struct val *a, const struct val *b, unsigned depth)
{
    if (a->list.len != b->list.len || !a->list.items != !b->list.items)
        return false;
    for (size_t i = 0; a->list.items != b->list.items && i < a->list.len; i++) {
        if (!equal(pairs, &a->list.items[i], &b->list.items[i], depth + 1))
            return false;
    }
    return true;
}

static bool equal_maps(size_t *pairs, const struct val *a, const struct val *b, unsigned depth)
{
    a = val_target(a);
    b = val_target(b);
    if (a->map.len != b->map.len || !a->map.pairs != !b->map.pairs)
        return false;
    for (size_t i = 0; a->map.pairs != b->map.pairs && i < a->map.len; i++) {
        if (!equal(pairs, a->map.pairs[i].key, b->map.pairs[i].key, depth + 1) ||
            !equal(pairs, &a->map.pairs[i].value, &b->map.pairs[i].value, depth + 1))
            return false;
    }
    return true;
}

static bool equal_moments(const struct moment *a, const struct moment *b)
{
    return a->seconds == b->seconds && a->nanos == b->nanos && a->offset == b->offset && a->local == b->local &&
           !strcmp(a->zone, b->zone);
}

static bool equal_versions(const struct semver *a, const struct semver *b)
{
    return !memcmp(a->numbers, b->numbers, sizeof(a->numbers)) && str_eq(a->prerelease, b->prerelease) &&
           str_eq(a->metadata, b->metadata) && str_eq(a->original, b->original);
}

/* Times and versions are plain structs to Go. */
static bool equal_objects(const struct val *a, const struct val *b)
{
    if (a->opaque.class != b->opaque.class || !a->opaque.self || !b->opaque.self)
        return val_equal(a, b);
    if (a->opaque.class == &go_class_time.base)
        return equal_moments(moment_of(a), moment_of(b));
    if (a->opaque.class == &go_class_semver.base || a->opaque.class == &go_class_semver_value.base)
        return equal_versions(a->opaque.self, b->opaque.self);
    return val_equal(a, b);
}

static bool equal(size_t *pairs, const struct val *a, const struct val *b, unsigned depth)
{
    if (++*pairs > LIMIT_TEMPLATE_STEPS / STEPS)
        return false;
    if (val_is_nil(a) || val_is_nil(b))
        return val_is_nil(a) && val_is_nil(b);
    if (a->kind != b->kind || a->type != b->type || depth > LIMIT_PRINT_DEPTH)
        return false;
    if (a->kind == VAL_LIST)
        return equal_lists(pairs, a, b, depth);
    if (a->kind == VAL_MAP)
        return equal_maps(pairs, a, b, depth);
    if (a->kind == VAL_RECORD)
        return a->map.class == b->map.class && equal_maps(pairs, a, b, depth);
    return a->kind == VAL_OPAQUE ? equal_objects(a, b) : val_equal(a, b);
}

int equal_deep(struct call *call, const struct val *a, const struct val *b, bool *ret)
{
    size_t pairs = 0;

    *ret = equal(&pairs, a, b, 0);
    return call_spend(call, pairs * STEPS);
}

int equal_to_any(struct call *call, const struct val *v, const struct val *items, size_t len, bool *ret)
{
    size_t pairs = 0;

    *ret = false;
    for (size_t i = 0; i < len && !*ret; i++)
        *ret = equal(&pairs, v, &items[i], 0);
    return call_spend(call, pairs * STEPS);
}
