/*
 * revoke: give a token back before the pod ends: `token revoke -self`, as a preStop hook calls it.
 *
 * The token is vault->token (VAULT_TOKEN) or else the content of HOME/.vault-token, where the agent's sink put it. Runs a loop of
 * its own until the server has answered; what may pass by itself (no connection, 5xx) is tried two more times, a second apart,
 * because pods get 30 s to end. ERR_MISSING: no token. Other errors are those of the request.
 */
#ifndef FLOW_REVOKE_H
#define FLOW_REVOKE_H

#include "base/err.h"
#include "config/config.h"

/* `home` may be NULL. */
int revoke_self(const struct config_vault *vault, const char *home, struct err *err) MUST_USE;

#endif
