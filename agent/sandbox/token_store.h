/*
 * token_store: Vault tokens.
 *
 * A token lives until its TTL ends, its uses are spent or it is revoked; with it go the leases that were taken under it and the
 * tokens made with it (orphans excepted). Batch tokens can neither be renewed nor revoked. A wrapping token holds the reply that
 * it wraps.
 */
#ifndef SANDBOX_TOKEN_STORE_H
#define SANDBOX_TOKEN_STORE_H

#include "base/val.h"
#include "sandbox/lease_store.h"

struct token {
    struct token_store *store;
    char *id, *accessor, *display_name, *entity_id;
    char *path;      /* "auth/kubernetes/login": where it was made */
    char *meta;      /* JSON object, NULL = null */
    char *wrapped;   /* the reply that a wrapping token stands for, NULL for others */
    char **policies; /* sorted, NULL-terminated */
    struct ttl ttl;
    struct token *parent;
    int64_t num_uses; /* 0 = any number, -1 = this call is the last */
    bool batch, fixed, orphan;
    LIST_ENTRY(token) link;
};

struct token_store {
    struct loop *loop;
    struct lease_store *leases;
    LIST_HEAD(, token) list;
};

struct token_spec {
    const char *path;           /* "auth/kubernetes/login" */
    const char *display_name;   /* "kubernetes-demo-app" */
    const struct val *policies; /* VAL_LIST of strings, or NULL */
    bool no_default_policy;
    struct buf *meta; /* JSON object, NULL = null */
    struct ttl_rules rules;
    int64_t num_uses;
    bool batch, fixed, forever; /* fixed: not renewable */
    const char *id;             /* NULL = make one up */
    struct token *parent;       /* NULL = orphan */
    const char *entity_id;      /* NULL = "" */
};

struct token *token_store_add(struct token_store *store, const struct token_spec *spec, struct buf *warnings);
struct token *token_store_find(const struct token_store *store, const char *id);
struct token *token_store_find_accessor(const struct token_store *store, const char *accessor);
/* Takes one use; NULL when there is no such token. */
struct token *token_store_use(struct token_store *store, const char *id);
/* The call is over: a token whose last use this was ends. NULL is accepted. */
void token_store_used(struct token *token);
void token_store_revoke(struct token *token);
void token_store_done(struct token_store *store);

#endif
