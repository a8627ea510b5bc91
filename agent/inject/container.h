/*
 * container: the agent's containers as JSON.
 */
#ifndef INJECT_CONTAINER_H
#define INJECT_CONTAINER_H

#include "inject/agent_config.h"
#include "inject/effort.h"

/* What tells one container from another. */
struct container {
    const struct plan_identity *identity;
    enum agent_config_role role; /* CONFIG_INIT: vault-agent-init; a native sidecar is CONFIG_SIDECAR */
};

/* Appends one container, its own JSON patch applied. */
int container_write(const struct plan *plan, const struct container *container, struct effort *effort, struct buf *out,
                    struct arena *arena, struct err *err) MUST_USE;

/* Appends the init container that brings the agent's program to those that are started by it. */
int container_write_program(const struct plan *plan, struct effort *effort, struct buf *out, struct err *err) MUST_USE;

/* "vault-agent-init", with "-IDENTITY" behind it for others than the first; the same for volumes. */
void container_name(struct buf *out, const char *base, const struct plan_identity *identity);
/* One mount; read-only where upstream's are. */
void container_mount(struct buf *out, struct str name, struct str path, bool read_only);
/* The secrets' mounts: vault-secrets, then vault-secrets-custom-0 … Calls `each` for every one. */
typedef void container_each_mount(void *context, struct str name, struct str path);
void container_secret_mounts(const struct plan *plan, container_each_mount *each, void *context);

#endif
