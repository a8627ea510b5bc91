/*
 * feed: one wanted dep and what is done to keep it answered: ask the mount table, read, renew, read again.
 *
 * Belongs to fetch, which gives all feeds what they share. Feeds do not know each other: a failing one holds up nobody. A feed
 * may be freed by its owner inside on_change and on_error; these are always a feed's last act.
 */
#ifndef FLOW_FEED_H
#define FLOW_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/fetch.h"
#include "flow/health.h"
#include "flow/mounts.h"

struct feed;

struct feed_shared {
    struct loop *loop;
    struct client *client;
    struct store *store;
    struct mounts *mounts;
    struct handover *handover; /* answers that were handed over with the token in use; NULL: none */
    struct fetch_options options;
    struct fetch_events events;
    uint64_t token_number; /* counts tokens; 0: none yet */
    int64_t token_at;      /* when the newest came */
    unsigned running;      /* requests under way */
    struct loop_timer idle_timer;
};

struct feed *feed_new(struct feed_shared *shared, struct dep *dep);
void feed_free(struct feed *feed);
const struct dep *feed_dep(const struct feed *feed);
/* Ask, if nothing was begun yet. */
void feed_start(struct feed *feed);
/* Ask now, unless it is being asked already. */
void feed_go(struct feed *feed);
/* A certificate without its key is no answer any more: one that is held, from its file, is issued anew. */
void feed_need_key(struct feed *feed);
/* Ask now if it waits after a failure. */
void feed_hurry(struct feed *feed);
/* There is another token. */
void feed_token(struct feed *feed);
void feed_stop(struct feed *feed);
/* Say to a probe that it fails, and since when. */
void feed_health(const struct feed *feed, struct health *health);

#endif
