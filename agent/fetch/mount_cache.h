/*
 * mount_cache: what the server's mount table said, remembered per mount.
 *
 * Questions about neighbours (same first segment) wait for each other, so many secrets of one mount cost one request. A refusal
 * means "as known before", else "as written", and is not remembered; a failure (time-out, 5xx) is an error for the asker, who
 * asks again.
 */
#ifndef FETCH_MOUNT_CACHE_H
#define FETCH_MOUNT_CACHE_H

#include <stdint.h>

#include "base/err.h"
#include "vault/client.h"
#include "vault/mount.h"

struct mount_cache;
struct mount_cache_question;

/* From the loop, once. `mount` is NULL after a refusal when nothing was known before. `err` is for failures; retry_after_ms as in
 * struct reply. */
typedef void mount_cache_done(void *ctx, const struct mount *mount, const struct err *err, int64_t retry_after_ms);

struct mount_cache *mount_cache_new(struct client *client);
void mount_cache_free(struct mount_cache *cache); /* open questions end unanswered */

/* NULL: ask. */
const struct mount *mount_cache_find(struct mount_cache *cache, const char *path);
struct mount_cache_question *mount_cache_ask(struct mount_cache *cache, const char *path, bool urgent, mount_cache_done *done,
                                             void *ctx);
void mount_cache_cancel(struct mount_cache_question *question);
/* The answer may be out of date: ask again next time. */
void mount_cache_doubt(struct mount_cache *cache, const char *path);

#endif
