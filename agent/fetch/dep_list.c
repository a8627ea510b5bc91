#include "fetch/dep_list.h"

#include <string.h>

#include "base/mem.h"

enum { SHORT = 8 /* so many are looked at one by one: most templates use one or two */ };

/* Where the dep would stand if no other were there: identities are digests, so any of their bytes are a hash. */
static size_t home_of(const struct dep_list *list, const struct dep *dep)
{
    uint64_t hash;

    memcpy(&hash, dep->id, sizeof(hash));
    return hash & (list->room * 2 - 1);
}

/* Where it stands in the table, or would. */
static size_t place_of(const struct dep_list *list, const struct dep *dep)
{
    size_t mask = list->room * 2 - 1, place;

    for (place = home_of(list, dep); list->places[place]; place = (place + 1) & mask) {
        if (dep_same(list->items[list->places[place] - 1], dep))
            break;
    }
    return place;
}

static size_t find_short(const struct dep_list *list, const struct dep *dep)
{
    for (size_t i = 0; i < list->len; i++)
        if (dep_same(list->items[i], dep))
            return i;
    return DEP_NONE;
}

size_t dep_list_find(const struct dep_list *list, const struct dep *dep)
{
    uint32_t number;

    if (!list->places)
        return find_short(list, dep);
    number = list->places[place_of(list, dep)];
    return number ? number - 1 : DEP_NONE;
}

bool dep_list_has(const struct dep_list *list, const struct dep *dep)
{
    return dep_list_find(list, dep) != DEP_NONE;
}

static void grow(struct dep_list *list)
{
    size_t room = list->room ? list->room * 2 : 1;

    list->items = mem_grow(list->items, list->len * sizeof(*list->items), room * sizeof(*list->items));
    list->room = room;
    mem_free(list->places);
    list->places = room > SHORT ? mem_array(room * 2, sizeof(*list->places)) : NULL;
    for (size_t i = 0; list->places && i < list->len; i++)
        list->places[place_of(list, list->items[i])] = (uint32_t)i + 1;
}

size_t dep_list_add(struct dep_list *list, struct dep *dep)
{
    size_t found = dep_list_find(list, dep);

    if (found != DEP_NONE)
        return found;
    if (list->len == list->room)
        grow(list);
    if (list->places)
        list->places[place_of(list, dep)] = (uint32_t)list->len + 1;
    list->items[list->len] = dep_ref(dep);
    return list->len++;
}

/* What stands behind a gap moves into it, unless it stands where it belongs. */
static void close_gap(struct dep_list *list, size_t gap)
{
    size_t mask = list->room * 2 - 1;

    for (size_t at = (gap + 1) & mask; list->places[at]; at = (at + 1) & mask) {
        size_t home = home_of(list, list->items[list->places[at] - 1]);

        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        list->places[gap] = list->places[at];
        gap = at;
    }
    list->places[gap] = 0;
}

void dep_list_remove(struct dep_list *list, size_t index)
{
    struct dep *dep = list->items[index], *last = list->items[list->len - 1];

    if (list->places) {
        close_gap(list, place_of(list, dep));
        if (last != dep)
            list->places[place_of(list, last)] = (uint32_t)index + 1;
    }
    list->items[index] = last;
    list->len--;
    dep_unref(dep);
}

void dep_list_clear(struct dep_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        dep_unref(list->items[i]);
    mem_free(list->items);
    mem_free(list->places);
    *list = (struct dep_list){0};
}
