#include "fetch/store.h"

#include "base/limits.h"
#include "base/mem.h"
#include "fetch/dep_list.h"

struct entry {
    struct secret *secret; /* NULL: tried in vain */
    bool absent;
};

struct store {
    struct dep_list deps;
    struct entry *entries; /* one a dep, in their order; deps.room of them */
};

struct store *store_new(void)
{
    return mem_alloc(sizeof(struct store));
}

void store_free(struct store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->deps.len; i++)
        secret_free(store->entries[i].secret);
    dep_list_clear(&store->deps);
    mem_free(store->entries);
    mem_free(store);
}

static struct entry *find(const struct store *store, const struct dep *dep)
{
    size_t found = dep_list_find(&store->deps, dep);

    return found == DEP_NONE ? NULL : &store->entries[found];
}

enum store_state store_state(const struct store *store, const struct dep *dep)
{
    const struct entry *entry = find(store, dep);

    if (!entry)
        return STORE_PENDING;
    if (entry->secret)
        return STORE_ANSWERED;
    return entry->absent ? STORE_ABSENT : STORE_FAILED;
}

struct secret *store_edit(struct store *store, const struct dep *dep)
{
    const struct entry *entry = find(store, dep);

    return entry ? entry->secret : NULL;
}

const struct secret *store_get(const struct store *store, const struct dep *dep)
{
    const struct entry *entry = find(store, dep);

    return entry ? entry->secret : NULL;
}

size_t store_count(const struct store *store)
{
    size_t count = 0;

    for (size_t i = 0; i < store->deps.len; i++)
        count += store->entries[i].secret != NULL;
    return count;
}

const struct dep *store_next(const struct store *store, size_t *at, const struct secret **ret_secret)
{
    while (*at < store->deps.len) {
        size_t i = (*at)++;

        if (!store->entries[i].secret)
            continue;
        *ret_secret = store->entries[i].secret;
        return store->deps.items[i];
    }
    return NULL;
}

static struct entry *find_or_add(struct store *store, struct dep *dep, struct err *err)
{
    struct entry *entry = find(store, dep);
    size_t room = store->deps.room, i;

    if (entry)
        return entry;
    if (store->deps.len == LIMIT_STORE_DEPS) {
        err_set(err, ERR_LIMIT, "more than %d secrets; split the templates between several agents", LIMIT_STORE_DEPS);
        return NULL;
    }
    i = dep_list_add(&store->deps, dep);
    if (store->deps.room != room)
        store->entries = mem_grow(store->entries, room * sizeof(*entry), store->deps.room * sizeof(*entry));
    store->entries[i] = (struct entry){0};
    return &store->entries[i];
}

int store_put(struct store *store, struct dep *dep, struct secret *secret, struct err *err)
{
    struct entry *entry = find_or_add(store, dep, err);

    if (!entry) {
        secret_free(secret);
        return -1;
    }
    secret_free(entry->secret);
    entry->secret = secret;
    return 0;
}

int store_fail(struct store *store, struct dep *dep, bool absent, struct err *err)
{
    struct entry *entry = find_or_add(store, dep, err);

    if (!entry)
        return -1;
    entry->absent = absent;
    return 0;
}

void store_drop(struct store *store, const struct dep *dep)
{
    size_t i = dep_list_find(&store->deps, dep);

    if (i == DEP_NONE)
        return;
    secret_free(store->entries[i].secret);
    store->entries[i] = store->entries[store->deps.len - 1];
    dep_list_remove(&store->deps, i);
}
