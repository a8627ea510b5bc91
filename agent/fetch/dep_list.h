/*
 * dep_list: deps in the order of their first mention, each once, found by hash. Holds references.
 *
 * Not bounded here: whoever adds says what is too many. A zeroed struct is an empty list.
 */
#ifndef FETCH_DEP_LIST_H
#define FETCH_DEP_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/dep.h"

#define DEP_NONE SIZE_MAX

struct dep_list {
    struct dep **items;
    size_t len, room;
    uint32_t *places; /* a hash table of 1 + index, 0 for free; twice as large as `room`; NULL while it is short */
};

/* The dep's index, DEP_NONE when it is not there. */
size_t dep_list_find(const struct dep_list *list, const struct dep *dep);
bool dep_list_has(const struct dep_list *list, const struct dep *dep);
/* The dep's index, at the end if it is new. */
size_t dep_list_add(struct dep_list *list, struct dep *dep);
/* The last one takes its place. */
void dep_list_remove(struct dep_list *list, size_t index);
void dep_list_clear(struct dep_list *list);

#endif
