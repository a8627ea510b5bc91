/*
 * token: Vault tokens and auth/token/: create, lookup, renew, revoke.
 *
 * A token lives until its term ends, its uses are spent or it is revoked; with it go the leases that were taken under it and the
 * tokens made with it (orphans excepted). Batch tokens can neither be renewed nor revoked. A wrapping token holds the reply that
 * it wraps.
 */
#ifndef SANDBOX_TOKEN_H
#define SANDBOX_TOKEN_H

#include "sandbox/api.h"
#include "sandbox/term.h"

extern const struct engine token_engine;

struct token_spec {
    const char *path;           /* "auth/kubernetes/login" */
    const char *display_name;   /* "kubernetes-demo-app" */
    const struct val *policies; /* VAL_LIST of strings, or NULL */
    bool no_default_policy;
    struct buf *meta; /* JSON object, NULL = null */
    struct term_rules rules;
    int64_t num_uses;
    bool batch, fixed, forever; /* fixed: not renewable */
    const char *id;             /* NULL = make one up */
    struct token *parent;       /* NULL = orphan */
    const char *entity_id;      /* NULL = "" */
};

struct token *token_new(struct sandbox *box, const struct token_spec *spec, struct buf *warnings);
/* auth of a login's reply. */
void token_describe_auth(const struct token *token, struct buf *out);
/* Takes one use; NULL when there is no such token. */
struct token *token_use(struct sandbox *box, const char *id);
/* The call is over: a token whose last use this was ends. NULL is accepted. */
void token_used(struct sandbox *box, struct token *token);
struct token *token_find(struct sandbox *box, const char *id);
void token_revoke(struct sandbox *box, struct token *token);
void tokens_done(struct sandbox *box);

unsigned token_capabilities(const struct sandbox *box, const struct token *token, const char *path);
/* May it do anything at all on or below `mount`? Then it may know of it. */
bool token_reaches(const struct sandbox *box, const struct token *token, const char *mount);
const char *token_display_name(const struct token *token);
const char *token_accessor(const struct token *token);
const char *token_id(const struct token *token);
const struct term *token_term(const struct token *token);

/* For wrapping: the reply that the token stands for, NULL for ordinary tokens. `path` where it came from. */
void token_wrap(struct token *token, const char *reply);
const char *token_wrapped(const struct token *token);
const char *token_path(const struct token *token);

#endif
