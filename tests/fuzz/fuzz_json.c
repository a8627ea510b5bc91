/* floor: base */
/* The JSON reader: the first byte is its flags. What it accepts must print, and read back to the same value. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"

static void check_round_trip(const struct val *v, struct arena *arena)
{
    const struct json_options options = {.flags = JSON_ALL_KEYS};
    _cleanup_buf_ struct buf text;
    struct val again;
    struct err err;

    buf_init(&text, MIB(8));
    if (json_write(&text, v, 0, &err) != 0 || buf_check(&text, "text", &err) != 0)
        return;
    if (json_read(text.data, text.len, &options, arena, &again, &err) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ struct arena arena;
    struct json_options options = {.flags = size ? data[0] : 0};
    struct val_place place;
    struct val v;
    struct err err;

    arena_init(&arena, MIB(64), "document");
    options.place = &place;
    if (size > 0 && json_read((const char *)data + 1, size - 1, &options, &arena, &v, &err) == 0)
        check_round_trip(&v, &arena);
    return 0;
}
