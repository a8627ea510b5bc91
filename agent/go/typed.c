#include "go/typed.h"

#include "base/mem.h"

#define BEHIND_BITS 22 /* of list.user; above them lie the spare places */

struct val go_int64(int64_t i)
{
    return (struct val){.kind = VAL_INT, .type = GO_T_INT64, .i = i};
}

struct val go_strings(const struct val *items, size_t len)
{
    return (struct val){.kind = VAL_LIST, .type = GO_T_STRINGS, .list = {.items = items, .len = len}};
}

struct val go_record(const struct val_pair *fields, size_t len, const struct go_class *class)
{
    return val_record(fields, len, &class->base);
}

struct val go_object(void *self, const struct go_class *class)
{
    return val_object(self, &class->base);
}

/* The places that a slice has when it grew item by item: templates can see them by `slice`. */
static size_t grown_room(size_t len)
{
    static const uint16_t steps[] = {1, 2, 4, 8, 16, 32, 71, 143, 303, 591, 1023, 1535}; /* Go's sizes of small objects */
    size_t room;

    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (len <= steps[i])
            return len ? steps[i] : 0;
    for (room = steps[ARRAY_LEN(steps) - 1]; room < len;)
        room = (room + (room + 768) / 4 + 511) / 512 * 512; /* pages */
    return room;
}

struct go_room go_room(const struct val *list)
{
    if (list->grown)
        return (struct go_room){0, grown_room(list->list.len) - list->list.len};
    return (struct go_room){list->list.user & ((1u << BEHIND_BITS) - 1), list->list.user >> BEHIND_BITS};
}

void go_set_room(struct val *list, struct go_room room)
{
    list->grown = false;
    list->list.user = (uint64_t)room.spare << BEHIND_BITS | room.behind;
}
