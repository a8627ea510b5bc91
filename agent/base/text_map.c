#include "base/text_map.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#define ROOM_FIRST 8

struct text_entry {
    char *key;
    void *value;
};

/* FNV-1a: the texts are an operator's paths, not an attacker's. */
static size_t home_of(const struct text_map *map, const char *key)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 0x100000001b3u;
    return (hash ^ hash >> 32) & (map->room - 1);
}

/* Where the key stands, or would. */
static struct text_entry *find(const struct text_map *map, const char *key)
{
    size_t place = home_of(map, key);

    while (map->entries[place].key && strcmp(map->entries[place].key, key) != 0)
        place = (place + 1) & (map->room - 1);
    return &map->entries[place];
}

void *text_map_get(const struct text_map *map, const char *key)
{
    return map->len ? find(map, key)->value : NULL;
}

static void grow(struct text_map *map)
{
    struct text_map larger = {.room = map->room ? map->room * 2 : ROOM_FIRST, .len = map->len};

    larger.entries = mem_array(larger.room, sizeof(*larger.entries));
    for (size_t i = 0; i < map->room; i++)
        if (map->entries[i].key)
            *find(&larger, map->entries[i].key) = map->entries[i];
    mem_free(map->entries);
    *map = larger;
}

void text_map_set(struct text_map *map, const char *key, void *value)
{
    struct text_entry *entry;

    if (map->len * 4 >= map->room * 3)
        grow(map);
    entry = find(map, key);
    if (!entry->key) {
        entry->key = mem_strdup(key);
        map->len++;
    }
    entry->value = value;
}

/* What stands behind a gap moves into it, unless it stands where it belongs. */
static void close_gap(struct text_map *map, size_t gap)
{
    size_t mask = map->room - 1;

    for (size_t at = (gap + 1) & mask; map->entries[at].key; at = (at + 1) & mask) {
        size_t home = home_of(map, map->entries[at].key);

        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        map->entries[gap] = map->entries[at];
        gap = at;
    }
    map->entries[gap] = (struct text_entry){0};
}

void *text_map_remove(struct text_map *map, const char *key)
{
    struct text_entry *entry = map->len ? find(map, key) : NULL;
    void *value;

    if (!entry || !entry->key)
        return NULL;
    value = entry->value;
    mem_free(entry->key);
    map->len--;
    close_gap(map, (size_t)(entry - map->entries));
    return value;
}

void *text_map_next(const struct text_map *map, size_t *at)
{
    while (*at < map->room) {
        const struct text_entry *entry = &map->entries[(*at)++];

        if (entry->key)
            return entry->value;
    }
    return NULL;
}

void text_map_clear(struct text_map *map)
{
    for (size_t i = 0; i < map->room; i++)
        mem_free(map->entries[i].key);
    mem_free(map->entries);
    *map = (struct text_map){0};
}
