/*
 * token: the proof that a login was accepted, in locked memory, with its lease.
 *
 * Built from an "auth" block or from a lookup-self answer. `type` "batch" and ttl 0 (root) are kept as the server says.
 */
#ifndef VAULT_TOKEN_H
#define VAULT_TOKEN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "vault/lease.h"
#include "vault/reply.h"

/* The environment variables that hold one, or a private key, NULL-terminated: no child gets them. */
extern const char *const secret_variables[];

struct token {
    struct arena arena;
    const char *value;
    const char *accessor; /* "" when the server gives none (batch tokens) */
    const char *wrap;     /* JSON of wrap_info when the login was wrapped: then `value` is "" */
    struct lease lease;
    int64_t uses; /* how many requests it is good for; 0: no limit */
    bool batch;
    bool unsound;     /* a lease number out of range */
    bool unknown_ttl; /* the login said 0: ask lookup-self */
    bool handed;      /* taken over from another process */
};

/* `wrapped`: the login asked for a wrapped answer, and nothing else is taken. */
int token_from_auth(const struct reply *reply, bool wrapped, int64_t asked_at, struct token **ret, struct err *err) MUST_USE;
/* `value` is the token that was looked up. */
int token_from_lookup(const struct reply *reply, const char *value, int64_t asked_at, struct token **ret, struct err *err)
    MUST_USE;
/* What a lookup-self says: it has an end, and no seconds until then. */
bool token_ends_at_once(const struct reply *reply);
/* One that another process logged in for; `lease` as that one knew it. */
int token_take_over(const char *value, const char *accessor, const struct lease *lease, bool batch, struct token **ret,
                    struct err *err) MUST_USE;
void token_free(struct token *token);

#endif
