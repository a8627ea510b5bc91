#include "flow/store.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

struct entry {
    struct dep *dep;
    struct secret *secret; /* NULL: tried in vain */
    bool absent;
    uint64_t version;
};

/* Sorted by the deps' identities. */
struct store {
    struct entry *entries;
    size_t count, room;
};

struct store *store_new(void)
{
    return mem_alloc(sizeof(struct store));
}

static void entry_done(struct entry *entry)
{
    secret_free(entry->secret);
    dep_unref(entry->dep);
}

void store_free(struct store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->count; i++)
        entry_done(&store->entries[i]);
    mem_free(store->entries);
    mem_free(store);
}

/* The place of `dep`, or where it would go; true when it is there. */
static bool locate(const struct store *store, const struct dep *dep, size_t *ret)
{
    size_t low = 0, high = store->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(store->entries[middle].dep->id, dep->id, sizeof(dep->id));

        if (order == 0) {
            *ret = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret = low;
    return false;
}

enum store_state store_state(const struct store *store, const struct dep *dep)
{
    size_t i;

    if (!locate(store, dep, &i))
        return STORE_PENDING;
    if (store->entries[i].secret)
        return STORE_ANSWERED;
    return store->entries[i].absent ? STORE_ABSENT : STORE_FAILED;
}

const struct secret *store_get(const struct store *store, const struct dep *dep)
{
    size_t i;

    return locate(store, dep, &i) ? store->entries[i].secret : NULL;
}

struct secret *store_edit(struct store *store, const struct dep *dep)
{
    size_t i;

    return locate(store, dep, &i) ? store->entries[i].secret : NULL;
}

uint64_t store_version(const struct store *store, const struct dep *dep)
{
    size_t i;

    return locate(store, dep, &i) ? store->entries[i].version : 0;
}

size_t store_count(const struct store *store)
{
    size_t count = 0;

    for (size_t i = 0; i < store->count; i++)
        count += store->entries[i].secret != NULL;
    return count;
}

const struct dep *store_next(const struct store *store, size_t *at, const struct secret **ret_secret)
{
    while (*at < store->count) {
        const struct entry *entry = &store->entries[(*at)++];

        if (!entry->secret)
            continue;
        *ret_secret = entry->secret;
        return entry->dep;
    }
    return NULL;
}

static int insert_entry(struct store *store, size_t place, struct dep *dep, struct err *err)
{
    if (store->count == LIMIT_STORE_DEPS)
        return err_set(err, ERR_LIMIT, "more than %d secrets; split the templates between several agents", LIMIT_STORE_DEPS);
    if (store->count == store->room) {
        size_t room = store->room ? store->room * 2 : 16;

        store->entries = mem_grow(store->entries, store->room * sizeof(*store->entries), room * sizeof(*store->entries));
        store->room = room;
    }
    memmove(&store->entries[place + 1], &store->entries[place], (store->count - place) * sizeof(*store->entries));
    store->entries[place] = (struct entry){.dep = dep_ref(dep)};
    store->count++;
    return 0;
}

int store_put(struct store *store, struct dep *dep, struct secret *secret, struct err *err)
{
    size_t i;

    if (!locate(store, dep, &i) && insert_entry(store, i, dep, err) != 0) {
        secret_free(secret);
        return -1;
    }
    secret_free(store->entries[i].secret);
    store->entries[i].secret = secret;
    store->entries[i].version++;
    return 0;
}

int store_fail(struct store *store, struct dep *dep, bool absent, struct err *err)
{
    size_t i;

    if (!locate(store, dep, &i) && insert_entry(store, i, dep, err) != 0)
        return -1;
    store->entries[i].absent = absent;
    return 0;
}

void store_drop(struct store *store, const struct dep *dep)
{
    size_t i;

    if (!locate(store, dep, &i))
        return;
    entry_done(&store->entries[i]);
    store->count--;
    memmove(&store->entries[i], &store->entries[i + 1], (store->count - i) * sizeof(*store->entries));
}
