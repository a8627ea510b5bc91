/*
 * lease: what was lent under a token (generated credentials): renewed, looked up, revoked by its ID; gone with its token.
 */
#ifndef SANDBOX_LEASE_H
#define SANDBOX_LEASE_H

#include "sandbox/api.h"
#include "sandbox/term.h"

/* The ID is "PATH/random". The lease belongs to the list of the box. */
struct lease *lease_new(struct call *call, const struct term_rules *rules);
const char *lease_id(const struct lease *lease);
int64_t lease_granted(const struct lease *lease);
void lease_revoke(struct lease *lease);
void leases_revoke_prefix(struct sandbox *box, const char *prefix);
void leases_revoke_token(struct sandbox *box, const struct token *token);
void leases_done(struct sandbox *box);

/* sys/leases/… and their old names; the ID comes in the body or, with routes ending in `*`, in the path. */
int lease_on_lookup(struct call *call);
int lease_on_renew(struct call *call);
int lease_on_revoke(struct call *call);
int lease_on_revoke_prefix(struct call *call);
int lease_on_list(struct call *call);

#endif
