/*
 * reply: one answer of a Vault-compatible server: status and envelope, or why there is none.
 *
 * The envelope (request_id, lease_id, data, auth …) is a value tree with numbers as written, in a secret arena owned by the
 * reply. An error text is built from the status and from a list of well-known phrases only: bodies are untrusted and may hold
 * secrets. Codes: 403 DENIED; 404 MISSING; 408 412 425 429 472 473 5xx RETRY; 413 LIMIT; other 4xx and answers that are no
 * envelope INPUT.
 */
#ifndef VAULT_REPLY_H
#define VAULT_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/val.h"

struct reply {
    int status;             /* 0: the exchange failed before an answer */
    struct arena arena;     /* secret; owns body */
    struct val body;        /* VAL_MAP, or VAL_MISSING for 204 and empty bodies */
    int64_t retry_after_ms; /* clamped to [1 s, 10 min], -1 when the server did not say */
    bool token_invalid;     /* a 403 that says so: the token itself is bad, not the policy */
    bool lease_unknown;     /* the server does not know this lease */
};

/* Parse `body` of an answer with `status`; `what` ("PUT auth/kubernetes/login") opens the error text. The reply is filled either
 * way. */
int reply_parse(struct reply *reply, int status, const char *body, size_t len, const char *what, struct err *err) MUST_USE;
void reply_done(struct reply *reply); /* zeroed structs are accepted */

#endif
