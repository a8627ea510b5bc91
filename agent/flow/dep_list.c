#include "flow/dep_list.h"

#include <string.h>

#include "base/mem.h"

#define ROOM_FIRST 4

/* Where the dep stands in the table, or would: identities are digests, so any of their bytes are a hash. */
static size_t place_of(const struct dep_list *list, const struct dep *dep)
{
    size_t mask = list->room * 2 - 1, place;
    uint64_t hash;

    memcpy(&hash, dep->id, sizeof(hash));
    for (place = hash & mask; list->places[place]; place = (place + 1) & mask) {
        if (dep_same(list->items[list->places[place] - 1], dep))
            break;
    }
    return place;
}

size_t dep_list_find(const struct dep_list *list, const struct dep *dep)
{
    uint32_t number = list->len ? list->places[place_of(list, dep)] : 0;

    return number ? number - 1 : DEP_NONE;
}

bool dep_list_has(const struct dep_list *list, const struct dep *dep)
{
    return dep_list_find(list, dep) != DEP_NONE;
}

static void grow(struct dep_list *list)
{
    size_t room = list->room ? list->room * 2 : ROOM_FIRST;

    list->items = mem_grow(list->items, list->len * sizeof(*list->items), room * sizeof(*list->items));
    list->room = room;
    mem_free(list->places);
    list->places = mem_array(room * 2, sizeof(*list->places));
    for (size_t i = 0; i < list->len; i++)
        list->places[place_of(list, list->items[i])] = (uint32_t)i + 1;
}

size_t dep_list_add(struct dep_list *list, struct dep *dep)
{
    size_t found = dep_list_find(list, dep);

    if (found != DEP_NONE)
        return found;
    if (list->len == list->room)
        grow(list);
    list->places[place_of(list, dep)] = (uint32_t)list->len + 1;
    list->items[list->len] = dep_ref(dep);
    return list->len++;
}

void dep_list_clear(struct dep_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        dep_unref(list->items[i]);
    mem_free(list->items);
    mem_free(list->places);
    *list = (struct dep_list){0};
}
