/*
 * fetch_answer: the answer to one dep, whatever it is and wherever it comes from, and when it is asked for anew. Pure, but for
 * the certificate's file.
 *
 * Secrets, listings and certificates, out of a reply, a file or what another process handed over. What is made belongs to the
 * caller. Errors open with the dep's key.
 */
#ifndef FETCH_FETCH_ANSWER_H
#define FETCH_FETCH_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "fetch/fetch_events.h"
#include "vault/dep.h"
#include "vault/reply.h"
#include "vault/secret.h"

struct fetch_answer {
    struct secret *secret;
    int64_t next_at; /* CLOCK_NEVER: not by time */
};

/* How it was asked for. */
struct fetch_asked {
    int64_t at;
    bool wrapped;              /* a write to KV v2 */
    const struct secret *held; /* the answer before; NULL: none */
};

/* Of 2xx, or of 404 to a list request: a folder that is not there is empty. Takes what is in the reply. */
int fetch_answer_from_reply(const struct dep *dep, struct reply *reply, const struct fetch_asked *asked,
                            const struct fetch_options *options, struct fetch_answer *ret, struct err *err) MUST_USE;
/* A certificate that is good still, in the destination. */
bool fetch_answer_from_file(const struct dep *dep, const struct fetch_options *options, struct fetch_answer *ret);
/* What came with the token from another process; takes it. ERR_MISSING: it serves no more; ERR_RETRY: it is being rotated. */
int fetch_answer_from_handed(const struct dep *dep, struct secret *handed, const struct fetch_options *options,
                             struct fetch_answer *ret, struct err *err) MUST_USE;

/* When an answer that is held is asked for again by these options, if they have to do with that: not where a lease is renewed,
 * nor for certificates. */
bool fetch_answer_time(const struct dep *dep, const struct secret *secret, const struct fetch_options *options, int64_t *ret);

#endif
