/*
 * own_token: the token of who runs a command: vault->token (VAULT_TOKEN) or else what is in HOME/.vault-token, where the agent's
 * sink, or a login, put it.
 */
#ifndef FLOW_OWN_TOKEN_H
#define FLOW_OWN_TOKEN_H

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

/* Into `ret`, made secret by this call. `home` may be NULL. ERR_MISSING: there is none. */
int own_token(const struct config_vault *vault, const char *home, struct buf *ret, struct err *err) MUST_USE;

#endif
