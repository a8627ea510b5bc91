/*
 * pki: a certificate with its key and chain, out of a file or out of the server's answer.
 *
 * The answer to `pkiCert` is a map of CA, CAChain, Cert, Key (strings "" where there is none; CAChain a []string without
 * duplicates). The last leaf and the last key win, the first CA is CA. A leaf is good until 90 percent of its life.
 */
#ifndef FETCH_PKI_H
#define FETCH_PKI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "vault/dep.h"
#include "vault/reply.h"
#include "vault/secret.h"

/* What is still good in the destination file: one leaf, of this common name (NULL: any), and a key only if it belongs to it. NULL
 * when there is nothing to reuse. *ret_until: clock_now() time at which to ask anew. */
struct secret *pki_from_file(const char *path, const char *name, double threshold, int64_t *ret_until);
/* A certificate out of a file that does not hold its key, for a template that wants it. */
bool pki_lost_key(const struct dep *dep, const struct secret *secret);
/* The same out of the answer that another process had: a map of CA, CAChain, Cert, Key. Owned by the call. */
struct secret *pki_from_handed(const struct dep *dep, struct secret *handed, double threshold, int64_t *ret_until);
/* Out of an answer; fails when it holds no leaf or one that is already due. */
int pki_from_reply(const struct reply *reply, double threshold, struct secret **ret, int64_t *ret_until, struct err *err)
    MUST_USE;

#endif
