/* floor: base */
/* YAML: what is accepted must be small enough to be walked whole, however its aliases repeat. */
#include <stdint.h>
#include <stdlib.h>

#include "base/hcl.h"
#include "base/limits.h"
#include "base/yaml.h"

static size_t count(const struct val *v, unsigned depth)
{
    size_t n = 1;

    if (depth > LIMIT_DEPTH)
        abort();
    if (v->kind == VAL_LIST) {
        for (size_t i = 0; i < v->list.len; i++)
            n += count(&v->list.items[i], depth + 1);
    } else if (v->kind == VAL_MAP) {
        for (size_t i = 0; i < v->map.len; i++)
            n += count(&v->map.pairs[i].value, depth + 1);
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ struct arena arena;
    struct val_place place;
    struct val v, shaped;
    struct err err;

    arena_init(&arena, LIMIT_CONFIG_TREE_BYTES, "document");
    if (yaml_read((const char *)data, size, 1, &arena, &v, &place, &err) != 0)
        return 0;
    if (count(&v, 0) > LIMIT_MEMBERS + 1)
        abort();
    if (hcl_shape(&v, &arena, &shaped, &err) != 0 && err.code != ERR_LIMIT)
        abort();
    return 0;
}
