#include "sandbox/lease_store.h"

#include "sandbox/random_id.h"

enum { LEASE_RANDOM = 24 };

static void on_end(void *ctx)
{
    lease_store_revoke(ctx);
}

struct lease *lease_store_add(struct lease_store *store, const char *path, const struct token *token,
                              const struct ttl_rules *rules, struct buf *warnings)
{
    struct lease *lease = mem_alloc(sizeof(*lease));
    struct buf id;

    buf_init_exact(&id, strlen(path) + strlen("/") + LEASE_RANDOM);
    buf_adds(&id, path);
    buf_addc(&id, '/');
    random_id_add(&id, LEASE_RANDOM);
    lease->id = buf_take(&id);
    lease->token = token;
    ttl_start(&lease->ttl, store->loop, rules, false, on_end, lease, warnings);
    LIST_INSERT_HEAD(&store->list, lease, link);
    return lease;
}

struct lease *lease_store_find(const struct lease_store *store, const char *id)
{
    struct lease *lease;

    LIST_FOREACH(lease, &store->list, link)
    if (!strcmp(lease->id, id))
        return lease;
    return NULL;
}

void lease_store_revoke(struct lease *lease)
{
    ttl_stop(&lease->ttl);
    LIST_REMOVE(lease, link);
    mem_free(lease->id);
    mem_free(lease);
}

void lease_store_revoke_prefix(struct lease_store *store, const char *prefix)
{
    struct lease *lease = LIST_FIRST(&store->list), *next;

    for (; lease; lease = next) {
        next = LIST_NEXT(lease, link);
        if (!strncmp(lease->id, prefix, strlen(prefix)))
            lease_store_revoke(lease);
    }
}

void lease_store_revoke_token(struct lease_store *store, const struct token *token)
{
    struct lease *lease = LIST_FIRST(&store->list), *next;

    for (; lease; lease = next) {
        next = LIST_NEXT(lease, link);
        if (lease->token == token)
            lease_store_revoke(lease);
    }
}

void lease_store_done(struct lease_store *store)
{
    lease_store_revoke_prefix(store, "");
}
