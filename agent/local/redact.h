/*
 * redact: what an answer says of the agent's own token, made harmless for a client that the agent lends it to.
 *
 * Whoever may use the token through the agent need not know it: from the answers of auth/token's lookup, lookup-self, renew and
 * renew-self the token and its accessor are left out (of "auth": emptied), where they are those of the agent's own, as the
 * originals do. Everything else passes untouched.
 */
#ifndef LOCAL_REDACT_H
#define LOCAL_REDACT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Whether answers of this path ("/v1/auth/token/lookup-self") may hold a token that was sent. */
bool redact_concerns(const char *path);
/* `body`, or what is left of it, is appended to `ret` (secret). ERR_INPUT, ERR_LIMIT: it cannot be read, and must not be handed
 * on. */
int redact_body(const struct buf *body, const char *token, struct buf *ret, struct err *err) MUST_USE;

#endif
