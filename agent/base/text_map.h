/*
 * text_map: text → pointer, each text once, found by hash.
 *
 * Keys are copied, values are the caller's. Not bounded here: whoever adds says what is too many. A zeroed struct is an empty
 * map.
 */
#ifndef BASE_TEXT_MAP_H
#define BASE_TEXT_MAP_H

#include <stddef.h>

struct text_map {
    struct text_entry *entries; /* `room` of them, a power of two; without a key: free */
    size_t len, room;
};

/* NULL when it is not there. */
void *text_map_get(const struct text_map *map, const char *key);
/* Added, or in the place of the old value. NULL is no value. */
void text_map_set(struct text_map *map, const char *key, void *value);
/* What it was, NULL when it was not there. Not while text_map_next() goes over the map. */
void *text_map_remove(struct text_map *map, const char *key);
/* All values, in no order; *at is 0 for the first; NULL at the end. */
void *text_map_next(const struct text_map *map, size_t *at);
void text_map_clear(struct text_map *map);

#endif
