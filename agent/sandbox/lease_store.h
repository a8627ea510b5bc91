/*
 * lease_store: what was lent under a token (generated credentials): renewed, looked up, revoked by its ID; gone with its token.
 */
#ifndef SANDBOX_LEASE_STORE_H
#define SANDBOX_LEASE_STORE_H

#include <sys/queue.h>

#include "sandbox/ttl.h"

struct token;

struct lease {
    char *id;
    const struct token *token; /* whose it is; nothing is known of it here */
    struct ttl ttl;
    LIST_ENTRY(lease) link;
};

struct lease_store {
    struct loop *loop;
    LIST_HEAD(, lease) list;
};

/* The ID is "PATH/random". The lease belongs to the store. */
struct lease *lease_store_add(struct lease_store *store, const char *path, const struct token *token,
                              const struct ttl_rules *rules, struct buf *warnings);
struct lease *lease_store_find(const struct lease_store *store, const char *id);
void lease_store_revoke(struct lease *lease);
void lease_store_revoke_prefix(struct lease_store *store, const char *prefix);
void lease_store_revoke_token(struct lease_store *store, const struct token *token);
void lease_store_done(struct lease_store *store);

#endif
