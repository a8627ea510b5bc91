/*
 * store: dep -> secret with a version, or why there is none; one writer (fetch), one reader (render).
 *
 * A replaced or dropped secret is wiped at once: do not keep what store_get() gave across a return to the loop.
 */
#ifndef FETCH_STORE_H
#define FETCH_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vault/dep.h"
#include "vault/secret.h"

struct store;

struct store *store_new(void);
void store_free(struct store *store);

enum store_state {
    STORE_PENDING,  /* nothing is known */
    STORE_FAILED,   /* tried in vain */
    STORE_ABSENT,   /* the server said that nothing is there */
    STORE_ANSWERED, /* once, whatever happened since */
};

enum store_state store_state(const struct store *store, const struct dep *dep);
/* NULL when there is no answer yet. */
const struct secret *store_get(const struct store *store, const struct dep *dep);

/* All answers, in no order that means anything: *at is 0 for the first; NULL at the end. */
size_t store_count(const struct store *store);
const struct dep *store_next(const struct store *store, size_t *at, const struct secret **ret_secret);

/* The writer's side. The store owns `secret` in any case; ERR_LIMIT at LIMIT_STORE_DEPS. */
int store_put(struct store *store, struct dep *dep, struct secret *secret, struct err *err) MUST_USE;
/* It was tried in vain; an answer that is held stays. ERR_LIMIT as above. */
int store_fail(struct store *store, struct dep *dep, bool absent, struct err *err) MUST_USE;
struct secret *store_edit(struct store *store, const struct dep *dep); /* for lease updates */
void store_drop(struct store *store, const struct dep *dep);

#endif
