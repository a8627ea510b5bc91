/*
 * fetch_one: one wanted dep and what is done to keep it answered: ask the mount table, read, renew, read again.
 *
 * Belongs to fetch, which gives all of them what they share. They do not know each other: a failing one holds up nobody. One
 * may be freed by its owner inside on_change and on_error; these are always its last act.
 */
#ifndef FETCH_FETCH_ONE_H
#define FETCH_FETCH_ONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "fetch/fetch_events.h"
#include "fetch/health.h"
#include "fetch/mount_cache.h"
#include "fetch/store.h"
#include "os/loop.h"
#include "vault/client.h"

struct fetch_one;
struct handover;

struct fetch_one_shared {
    struct loop *loop;
    struct client *client;
    struct store *store;
    struct mount_cache *mounts;
    struct handover *handover; /* answers that were handed over with the token in use; NULL: none */
    struct fetch_options options;
    struct retry_policy reading; /* after a read that failed */
    struct fetch_events events;
    uint64_t token_number; /* counts tokens; 0: none yet */
    int64_t token_at;      /* when the newest came */
    unsigned running;      /* requests under way */
    struct loop_timer idle_timer;
};

struct fetch_one *fetch_one_new(struct fetch_one_shared *shared, struct dep *dep);
void fetch_one_free(struct fetch_one *one);
const struct dep *fetch_one_dep(const struct fetch_one *one);
/* Ask, if nothing was begun yet. */
void fetch_one_start(struct fetch_one *one);
/* A certificate without its key is no answer any more: one that is held, from its file, is issued anew. */
void fetch_one_need_key(struct fetch_one *one);
/* Ask now if it waits after a failure. */
void fetch_one_hurry(struct fetch_one *one);
/* The same, once, if it failed for want of a server that answers. */
void fetch_one_up(struct fetch_one *one);
/* The options are others. */
void fetch_one_tune(struct fetch_one *one);
/* There is another token. */
void fetch_one_token(struct fetch_one *one);
void fetch_one_stop(struct fetch_one *one);
/* Say to a probe that it fails, and since when. */
void fetch_one_health(const struct fetch_one *one, struct health *health);

/* A line: how it is, when it is asked for next, its lease, its error. */
void fetch_one_status(const struct fetch_one *one, struct buf *out);

#endif
