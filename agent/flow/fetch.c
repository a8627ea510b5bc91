#include "flow/fetch.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "flow/dep_list.h"
#include "flow/feed.h"
#include "flow/handover.h"

struct entry {
    struct feed *feed;
    bool wanted; /* in the round that is open, or the last one */
};

struct fetch {
    struct feed_shared shared;
    struct dep_list deps;
    struct entry *entries; /* one a dep, in their order; deps.room of them */
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
    fetch->shared.mounts = mounts_new(client);
    fetch->shared.options = *options;
    fetch->shared.events = *events;
    timer_init(&fetch->shared.idle_timer, loop, on_idle, fetch);
    return fetch;
}

void fetch_free(struct fetch *fetch)
{
    if (!fetch)
        return;
    for (size_t i = 0; i < fetch->deps.len; i++)
        feed_free(fetch->entries[i].feed);
    dep_list_clear(&fetch->deps);
    timer_stop(&fetch->shared.idle_timer);
    handover_free(fetch->shared.handover);
    mounts_free(fetch->shared.mounts);
    mem_free(fetch->entries);
    mem_free(fetch);
}

static struct entry *find(const struct fetch *fetch, const struct dep *dep)
{
    size_t found = dep_list_find(&fetch->deps, dep);

    return found == DEP_NONE ? NULL : &fetch->entries[found];
}

void fetch_begin(struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->deps.len; i++)
        fetch->entries[i].wanted = false;
}

int fetch_want(struct fetch *fetch, struct dep *dep, struct err *err)
{
    struct entry *entry = find(fetch, dep);
    size_t room = fetch->deps.room, i;

    if (entry) {
        entry->wanted = true;
        if (dep->needs_key)
            feed_need_key(entry->feed);
        return 0;
    }
    if (fetch->deps.len == LIMIT_STORE_DEPS)
        return err_set(err, ERR_LIMIT, "more than %d secrets; split the templates between several agents", LIMIT_STORE_DEPS);
    i = dep_list_add(&fetch->deps, dep);
    if (fetch->deps.room != room)
        fetch->entries = mem_grow(fetch->entries, room * sizeof(*fetch->entries), fetch->deps.room * sizeof(*fetch->entries));
    fetch->entries[i] = (struct entry){feed_new(&fetch->shared, dep), true};
    return 0;
}

static void forget_unwanted(struct fetch *fetch)
{
    struct dep_list all = fetch->deps;
    size_t kept = 0;

    for (size_t i = 0; i < all.len; i++)
        kept += fetch->entries[i].wanted;
    if (kept == all.len)
        return;
    fetch->deps = (struct dep_list){0};
    for (size_t i = 0; i < all.len; i++) {
        struct entry entry = fetch->entries[i];

        if (entry.wanted) {
            fetch->entries[dep_list_add(&fetch->deps, all.items[i])] = entry;
            continue;
        }
        store_drop(fetch->shared.store, all.items[i]);
        feed_free(entry.feed);
    }
    dep_list_clear(&all);
    fetch->entries = mem_grow(fetch->entries, fetch->deps.len * sizeof(*fetch->entries), fetch->deps.room * sizeof(*fetch->entries));
}

/* A feed that has not been answered only needs a push when it is idle; the others know their time. */
static void start_new(struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->deps.len; i++)
        if (!store_get(fetch->shared.store, feed_dep(fetch->entries[i].feed)))
            feed_start(fetch->entries[i].feed);
}

void fetch_end(struct fetch *fetch)
{
    forget_unwanted(fetch);
    if (fetch->shared.token_number && !fetch->stopped)
        start_new(fetch);
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
        feed_token(fetch->entries[i].feed);
}

bool fetch_complete(const struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->deps.len; i++)
        if (!store_get(fetch->shared.store, feed_dep(fetch->entries[i].feed)))
            return false;
    return true;
}

void fetch_again(struct fetch *fetch, const struct dep *dep)
{
    struct entry *entry = find(fetch, dep);

    if (entry && !fetch->stopped)
        feed_go(entry->feed);
}

void fetch_hurry(struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->deps.len; i++)
        feed_hurry(fetch->entries[i].feed);
}

void fetch_stop(struct fetch *fetch)
{
    fetch->stopped = true;
    for (size_t i = 0; i < fetch->deps.len; i++)
        feed_stop(fetch->entries[i].feed);
}

void fetch_health(const struct fetch *fetch, struct health *health)
{
    for (size_t i = 0; i < fetch->deps.len; i++)
        feed_health(fetch->entries[i].feed, health);
}
