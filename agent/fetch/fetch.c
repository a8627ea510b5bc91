#include "fetch/fetch.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "fetch/dep_list.h"
#include "fetch/fetch_one.h"
#include "fetch/handover.h"

struct entry {
    struct fetch_one *one;
    size_t wants;
};

struct fetch {
    struct fetch_one_shared shared;
    struct dep_list deps;
    struct entry *entries; /* one a dep, in their order; deps.room of them */
    struct dep_list fresh; /* since fetch_settle() */
    struct dep_list stale; /* wanted by nobody at some moment since then */
    bool stopped;
};

static void on_idle(void *ctx)
{
    client_idle(((struct fetch *)ctx)->shared.client);
    mem_trim(); /* a handshake takes half a megabyte for a moment */
}

struct fetch *fetch_new(struct loop *loop, struct client *client, struct store *store, const struct fetch_options *options,
                        const struct fetch_events *events)
{
    struct fetch *fetch = mem_alloc(sizeof(*fetch));

    fetch->shared.loop = loop;
    fetch->shared.client = client;
    fetch->shared.store = store;
    fetch->shared.mounts = mount_cache_new(client);
    fetch->shared.options = *options;
    fetch->shared.reading = ladder_policy(&options->ladder);
    fetch->shared.events = *events;
    timer_init(&fetch->shared.idle_timer, loop, on_idle, fetch);
    return fetch;
}

void fetch_free(struct fetch *fetch)
{
    if (!fetch)
        return;
    for (size_t i = 0; i < fetch->deps.len; i++)
        fetch_one_free(fetch->entries[i].one);
    dep_list_clear(&fetch->deps);
    dep_list_clear(&fetch->fresh);
    dep_list_clear(&fetch->stale);
    timer_stop(&fetch->shared.idle_timer);
    handover_free(fetch->shared.handover);
    mount_cache_free(fetch->shared.mounts);
    mem_free(fetch->entries);
    mem_free(fetch);
}

static struct entry *find(const struct fetch *fetch, const struct dep *dep)
{
    size_t found = dep_list_find(&fetch->deps, dep);

    return found == DEP_NONE ? NULL : &fetch->entries[found];
}

int fetch_want(struct fetch *fetch, struct dep *dep, struct err *err)
{
    struct entry *entry = find(fetch, dep);
    size_t room = fetch->deps.room, i;

    if (entry) {
        entry->wants++;
        if (dep->needs_key)
            fetch_one_need_key(entry->one);
        return 0;
    }
    if (fetch->deps.len == LIMIT_STORE_DEPS)
        return err_set(err, ERR_LIMIT, "more than %d secrets; split the templates between several agents", LIMIT_STORE_DEPS);
    i = dep_list_add(&fetch->deps, dep);
    if (fetch->deps.room != room)
        fetch->entries = mem_grow(fetch->entries, room * sizeof(*fetch->entries), fetch->deps.room * sizeof(*fetch->entries));
    fetch->entries[i] = (struct entry){fetch_one_new(&fetch->shared, dep), 1};
    dep_list_add(&fetch->fresh, dep);
    return 0;
}

void fetch_release(struct fetch *fetch, const struct dep *dep)
{
    size_t found = dep_list_find(&fetch->deps, dep);

    if (found != DEP_NONE && --fetch->entries[found].wants == 0)
        dep_list_add(&fetch->stale, fetch->deps.items[found]);
}

static void forget(struct fetch *fetch, const struct dep *dep)
{
    size_t found = dep_list_find(&fetch->deps, dep);

    if (found == DEP_NONE || fetch->entries[found].wants)
        return;
    store_drop(fetch->shared.store, dep);
    fetch_one_free(fetch->entries[found].one);
    fetch->entries[found] = fetch->entries[fetch->deps.len - 1];
    dep_list_remove(&fetch->deps, found);
}

/* Those that are idle only need a push; the others know their time. */
static void start(struct fetch *fetch, const struct dep *dep)
{
    const struct entry *entry = find(fetch, dep);

    if (entry && !store_get(fetch->shared.store, dep))
        fetch_one_start(entry->one);
}

void fetch_settle(struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->stale.len; i++)
        forget(fetch, fetch->stale.items[i]);
    dep_list_clear(&fetch->stale);
    for (size_t i = 0; i < fetch->fresh.len && fetch->shared.token_number && !fetch->stopped; i++)
        start(fetch, fetch->fresh.items[i]);
    dep_list_clear(&fetch->fresh);
}

void fetch_offer(struct fetch *fetch, struct handover *handover)
{
    fetch->shared.handover = handover;
}

void fetch_token(struct fetch *fetch, const struct token *token)
{
    if (!token->value[0] || fetch->stopped)
        return;
    if (!token->handed)
        handover_free(steal(fetch->shared.handover));
    fetch->shared.token_number++;
    fetch->shared.token_at = clock_now();
    for (size_t i = 0; i < fetch->deps.len; i++)
        fetch_one_token(fetch->entries[i].one);
}

void fetch_tune(struct fetch *fetch, const struct fetch_options *options)
{
    fetch->shared.options = *options;
    fetch->shared.reading = ladder_policy(&options->ladder);
    for (size_t i = 0; i < fetch->deps.len; i++)
        fetch_one_tune(fetch->entries[i].one);
}

bool fetch_complete(const struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->deps.len; i++)
        if (!store_get(fetch->shared.store, fetch_one_dep(fetch->entries[i].one)))
            return false;
    return true;
}

void fetch_hurry(struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->deps.len; i++)
        fetch_one_hurry(fetch->entries[i].one);
}

void fetch_up(struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->deps.len; i++)
        fetch_one_up(fetch->entries[i].one);
}

void fetch_stop(struct fetch *fetch)
{
    fetch->stopped = true;
    for (size_t i = 0; i < fetch->deps.len; i++)
        fetch_one_stop(fetch->entries[i].one);
}

void fetch_health(const struct fetch *fetch, struct health *health)
{
    for (size_t i = 0; i < fetch->deps.len; i++)
        fetch_one_health(fetch->entries[i].one, health);
}

void fetch_status(const struct fetch *fetch, struct buf *out)
{
    for (size_t i = 0; i < fetch->deps.len; i++)
        fetch_one_status(fetch->entries[i].one, out);
}
