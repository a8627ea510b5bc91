/*
 * handover: what an init agent leaves to the sidecar of its pod: the token, and every answer with its lease.
 *
 * One file in memory (tmpfs), readable by our uid alone, written at the end of init mode, taken once: the taker overwrites and
 * removes it. Taken is only what this configuration's login made, in this boot of the machine (times are BOOTTIME), and what has
 * not ended; anything odd is refused with a reason, and an ordinary login follows. The server still has the last word: auth looks
 * the token up before it is used. Deps are named by their identities, so that arguments of writes are not in the file. Limits:
 * LIMIT_HANDOVER_BYTES, LIMIT_STORE_DEPS answers.
 */
#ifndef FETCH_HANDOVER_H
#define FETCH_HANDOVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "config/config.h"
#include "fetch/store.h"
#include "os/reach.h"
#include "vault/token.h"

struct handover;

/* Which file (one a login, in the configured folder), and who: server, namespace and login method of the configuration. */
struct handover_place {
    char path[LIMIT_PATH_BYTES + 32];
    char identity[2 * DIGEST_SHA256_LEN + 1];
    char boot[40]; /* the kernel's boot id */
};

int handover_place(const struct config *config, struct handover_place *ret, struct err *err) MUST_USE;

/* Leave `token` and what `store` holds; how many answers into *ret_count. */
int handover_leave(const struct handover_place *place, const struct token *token, const struct store *store, size_t *ret_count,
                   struct err *err) MUST_USE;
/* What handover_leave() opens. */
void handover_reach(const struct config *config, struct reach *reach);
/* *ret is NULL when there is no file. -1: the reason; what was ours is removed all the same. */
int handover_take(const struct handover_place *place, struct handover **ret, struct err *err) MUST_USE;
void handover_free(struct handover *handover); /* NULL is accepted */

size_t handover_count(const struct handover *handover);
/* Ownership goes to the caller; NULL when it was claimed before, is not there, or has ended meanwhile. */
struct token *handover_claim_token(struct handover *handover);
struct secret *handover_claim(struct handover *handover, const struct dep *dep);

/* The text of the file, for tests: `now` is clock_now(). */
int handover_write(struct buf *out, const struct handover_place *place, const struct token *token, const struct store *store,
                   struct err *err) MUST_USE;
int handover_read(const char *text, size_t len, const struct handover_place *place, int64_t now, struct handover **ret,
                  struct err *err) MUST_USE;

/* Both when the configuration says so, with a line in the log; where it does not work the sidecar of the pod logs in by itself.
 */
void handover_bequeath(const struct config *config, const struct token *token, const struct store *store);
struct handover *handover_inherit(const struct config *config); /* NULL: nothing */

#endif
