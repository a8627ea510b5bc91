/*
 * auth_token: auth/token/: create, lookup, renew, revoke.
 */
#ifndef SANDBOX_AUTH_TOKEN_H
#define SANDBOX_AUTH_TOKEN_H

#include "sandbox/call.h"

extern const struct engine token_engine;

/* Answer with this token, as every login does. */
void auth_token_give(struct call *call, const struct token *token);

#endif
