/*
 * secret: the answer to a dep: data and lease.
 *
 * Owns its secret arena; the reply is the server's envelope as read (or, for DEP_LIST, a sorted []string; for DEP_PKI a map of
 * CA, CAChain, Cert, Key). Replacing a secret wipes the old one: values borrowed from it end with it.
 */
#ifndef VAULT_SECRET_H
#define VAULT_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/val.h"
#include "vault/dep.h"
#include "vault/lease.h"
#include "vault/reply.h"

struct secret {
    struct arena arena;
    struct val reply;   /* VAL_NULL: the server answered without a body (a KV v1 write) */
    struct lease lease; /* of lease_id, or of a child token in "auth" */
    bool bound;         /* dies with the token it was read with */
    bool cached;        /* DEP_PKI: out of a file, not from the server */
    bool unsound;       /* its lease numbers were out of range: taken as 0 */
};

/* When a secret is to be asked for again, as the table of rules saw it. */
struct refresh {
    const char *why; /* the rule's name, for debug lines */
    int64_t at;      /* CLOCK_NEVER: not by time, its lease decides */
    bool retry;      /* a static role that is being rotated: ask again with back-off, as after an error */
};

struct refresh_options {
    int64_t static_interval_ms; /* static_secret_render_interval, 0 = 5 min */
    double threshold;           /* lease_renewal_threshold, 0 = 0.90 */
};

struct secret *secret_new(void);
void secret_free(struct secret *secret); /* NULL is accepted */
/* Take the envelope of `reply` (left empty) as the answer to `dep`, asked for at `asked_at`. */
struct secret *secret_take(const struct dep *dep, struct reply *reply, int64_t asked_at);
struct refresh secret_refresh(const struct dep *dep, const struct secret *secret, const struct refresh_options *options);

#endif
