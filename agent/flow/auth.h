/*
 * auth: from a login method to a token that is always good: login, renew, log in again before it ends.
 *
 * Owns the login and the token and keeps the client's token current. Every event comes from the loop, never from inside a call.
 * Failing logins go on with back-off for ever; on_failure tells of each.
 */
#ifndef FLOW_AUTH_H
#define FLOW_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "config/config.h"
#include "flow/door.h"
#include "os/launcher.h"
#include "os/loop.h"
#include "os/reach.h"
#include "vault/client.h"
#include "vault/token.h"

struct auth;

#define AUTH_NOT_AGAIN ((int64_t)-1)

struct auth_events {
    void *ctx;
    /* A new token (the client has it already). Borrowed for the call. */
    void (*on_token)(void *ctx, const struct token *token);
    /* A login failed; the next comes by itself after this time. AUTH_NOT_AGAIN: none does (exit_on_err), the caller ends the
     * program. */
    void (*on_failure)(void *ctx, const struct err *err, int64_t again_ms);
    /* Worth one line: renewal forbidden, odd lease numbers, token found revoked. */
    void (*on_warning)(void *ctx, const char *text);
    void (*on_renewed)(void *ctx, const struct token *token); /* may be NULL */
    door_open *open_door;                                     /* for a login with a certificate of its own; may be NULL */
};

/* `method` is read during the call; namespace NULL: the client's. */
int auth_new(struct loop *loop, struct client *client, const struct config_method *method, const struct auth_events *events,
             struct auth **ret, struct err *err) MUST_USE;
void auth_free(struct auth *auth);
/* Before auth_start(): look this token up instead of logging in, and use it while the server does not refuse it. Owned by auth.
 */
void auth_offer(struct auth *auth, struct token *token);
/* What logging in opens, besides the client. */
void auth_reach(const struct auth *auth, struct reach *reach);
/* Before auth_start(): log in again when the credentials of the login are found to be others. */
void auth_watch(struct auth *auth);
/* Before auth_start(): the login has a helper, this program of the launcher's. */
void auth_help(struct auth *auth, struct launcher *launcher, unsigned program);
void auth_start(struct auth *auth);

/* Somebody's request was refused with 403 (`worked`: which had worked with the same token): one lookup-self tells whether the
 * token is bad, then one new login. Calls while busy are merged. */
void auth_suspect(struct auth *auth, bool worked);
/* Try now if it waits after a failure. */
void auth_hurry(struct auth *auth);
const struct token *auth_token(const struct auth *auth); /* NULL before the first and while none is valid */

/* Stop renewing. With `revoke` the token is revoked first, for at most limit_ms. `on_stopped` comes from the loop in any case. */
void auth_stop(struct auth *auth, bool revoke, int64_t limit_ms, void (*on_stopped)(void *ctx), void *ctx);

#endif
