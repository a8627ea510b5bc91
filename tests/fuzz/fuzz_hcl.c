/* floor: base */
/* HCL and its JSON dialect: no input may crash, hang or outgrow the limits; every node has a place inside the text. */
#include <stdint.h>
#include <stdlib.h>

#include "base/hcl.h"
#include "base/limits.h"

static void check_places(const struct val *v, uint32_t lines)
{
    if (v->line > lines)
        abort();
    if (v->kind == VAL_LIST) {
        for (size_t i = 0; i < v->list.len; i++)
            check_places(&v->list.items[i], lines);
    } else if (v->kind == VAL_MAP) {
        for (size_t i = 0; i < v->map.len; i++)
            check_places(&v->map.pairs[i].value, lines);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ struct arena arena;
    struct val_place place;
    struct val v;
    struct err err;

    arena_init(&arena, LIMIT_CONFIG_TREE_BYTES, "document");
    if (hcl_read((const char *)data, size, 1, &arena, &v, &place, &err) == 0)
        check_places(&v, (uint32_t)size + 1);
    return 0;
}
