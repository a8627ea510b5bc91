#include "tpl/cost.h"

/* What an item of a list and a pair of a map count as, in bytes. */
enum { ITEM_BYTES = 16, PAIR_BYTES = 32 };
/* So many bytes written are a step. */
#define WRITTEN_BYTES 16

/* A call's steps, and steps for 64 bytes of arguments. */
static const struct {
    uint16_t call, bytes;
} costs[COST_KIND_COUNT] = {
    [COST_TEXT] = {20, 12}, [COST_LOOK] = {8, 0}, [COST_FIND] = {5, 4}, [COST_SLOW] = {60, 64}, [COST_HARD] = {600, 320},
};

static size_t bytes_of(const struct val *v)
{
    switch (v->kind) {
    case VAL_STRING:
    case VAL_NUMBER:
        return v->s.len;
    case VAL_LIST:
        return v->list.len * ITEM_BYTES;
    case VAL_MAP:
    case VAL_RECORD:
        return val_target(v)->map.len * PAIR_BYTES;
    default:
        return 0;
    }
}

uint64_t cost_call(enum cost cost, const struct val *argv, size_t argc)
{
    uint64_t bytes = 0;

    if (costs[cost].bytes == 0)
        return costs[cost].call;
    for (size_t i = 0; i < argc; i++)
        bytes += bytes_of(&argv[i]);
    return costs[cost].call + bytes * costs[cost].bytes / 64;
}

uint64_t cost_bytes(size_t bytes)
{
    return bytes / WRITTEN_BYTES;
}
