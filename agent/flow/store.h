/*
 * store: dep -> secret with a version; one writer (fetch), one reader (render).
 *
 * A replaced or dropped secret is wiped at once: do not keep what store_get() gave across a return to the loop.
 */
#ifndef FLOW_STORE_H
#define FLOW_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vault/dep.h"
#include "vault/secret.h"

struct store;

struct store *store_new(void);
void store_free(struct store *store);

/* NULL when there is no answer yet. */
const struct secret *store_get(const struct store *store, const struct dep *dep);
/* 0 without an answer; each new answer raises it. */
uint64_t store_version(const struct store *store, const struct dep *dep);

/* All answers, in no order that means anything. */
size_t store_count(const struct store *store);
const struct dep *store_at(const struct store *store, size_t i, const struct secret **ret_secret);

/* The writer's side. The store owns `secret` in any case; ERR_LIMIT at LIMIT_STORE_DEPS. */
int store_put(struct store *store, struct dep *dep, struct secret *secret, struct err *err) MUST_USE;
struct secret *store_edit(struct store *store, const struct dep *dep); /* for lease updates */
void store_drop(struct store *store, const struct dep *dep);

#endif
