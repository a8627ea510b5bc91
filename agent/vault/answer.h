/*
 * answer: whether what the server said holds something. Nothing is no answer: it comes from whatever stands between, and would
 * empty files.
 */
#ifndef VAULT_ANSWER_H
#define VAULT_ANSWER_H

#include <stdbool.h>

#include "base/err.h"
#include "vault/dep.h"
#include "vault/reply.h"
#include "vault/secret.h"

/*
 * A reply of 2xx to `dep`: ERR_RETRY when it holds nothing of what such a request is answered with: no data, no listing; for a
 * write what is no envelope at all (204 is the usual answer to one, except on KV v2: `wrapped`). `held` is the answer before,
 * NULL for none: one that had data does not become one without.
 */
int answer_check(const struct dep *dep, const struct reply *reply, bool wrapped, const struct secret *held, struct err *err)
    MUST_USE;
/* Nothing that a template can see differs, but for what differs with every answer. */
bool answer_same(const struct secret *a, const struct secret *b);

#endif
