/*
 * fetch_request: what is sent for one dep: to read it, and to renew its lease. Pure; nothing is sent here.
 *
 * The request's strings are the struct's own until fetch_request_done(), but for a child token, which is the secret's.
 */
#ifndef FETCH_FETCH_REQUEST_H
#define FETCH_FETCH_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "vault/client.h"
#include "vault/dep.h"
#include "vault/mount.h"
#include "vault/secret.h"

struct fetch_request {
    struct buf path;
    struct buf body; /* secret */
    struct request request;
    bool wrapped; /* a write to KV v2 */
};

/* `mount` NULL: as written. ERR_LIMIT when path or body do not fit; the struct is to be done in either case. */
int fetch_request_read(struct fetch_request *ret, const struct dep *dep, const struct mount *mount, struct err *err) MUST_USE;
/* Both lead to the same path. */
bool fetch_request_same(const struct dep *dep, const struct mount *a, const struct mount *b);
void fetch_request_renew(struct fetch_request *ret, const struct secret *secret, int64_t now);
void fetch_request_done(struct fetch_request *request);
#define _cleanup_fetch_request_ _cleanup_(fetch_request_done)

#endif
