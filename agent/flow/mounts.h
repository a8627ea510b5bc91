/*
 * mounts: what the server's mount table said, remembered per mount.
 *
 * Questions about neighbours (same first segment) wait for each other, so many secrets of one mount cost one request. A refusal
 * means "as known before", else "as written", and is not remembered; a failure (time-out, 5xx) is an error for the asker, who asks again.
 */
#ifndef FLOW_MOUNTS_H
#define FLOW_MOUNTS_H

#include <stdint.h>

#include "base/err.h"
#include "vault/client.h"
#include "vault/mount.h"

struct mounts;
struct mounts_question;

/* From the loop, once. `mount` is NULL after a refusal when nothing was known before. `err` is for failures; retry_after_ms as in struct reply. */
typedef void mounts_done(void *ctx, const struct mount *mount, const struct err *err, int64_t retry_after_ms);

struct mounts *mounts_new(struct client *client);
void mounts_free(struct mounts *mounts); /* open questions end unanswered */

/* NULL: ask. */
const struct mount *mounts_find(struct mounts *mounts, const char *path);
struct mounts_question *mounts_ask(struct mounts *mounts, const char *path, bool urgent, mounts_done *done, void *ctx);
void mounts_cancel(struct mounts_question *question);
/* The answer may be out of date: ask again next time. */
void mounts_doubt(struct mounts *mounts, const char *path);

#endif
