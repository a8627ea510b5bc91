/*
 * core: what a server has from the start, before anything is configured: sys/, auth/token/, the policies, the root token.
 */
#ifndef SANDBOX_CORE_H
#define SANDBOX_CORE_H

#include "os/loop.h"
#include "sandbox/acl.h"
#include "sandbox/issuer.h"
#include "sandbox/mount_table.h"
#include "sandbox/token_store.h"

struct core {
    struct loop *loop;
    struct issuer issuer;
    struct acl acl;
    struct mount_table mounts;
    struct lease_store leases;
    struct token_store tokens;
    char *root_token, *unseal_key;
    bool sealed;
};

/* `root_token` NULL = make one up. It stays where it is: its parts know each other. */
int core_init(struct core *core, struct loop *loop, const struct engines *engines, const char *root_token, struct err *err)
    MUST_USE;
void core_done(struct core *core);

#endif
