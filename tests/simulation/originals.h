/*
 * originals: how Vault Agent 1.21.4 asks, as a model: its auto-auth, its lifetime watcher, and consul-template 0.41.1's views.
 *
 * Read from their sources: command/agentproxyshared/auth/auth.go, api/lifetime_watcher.go, watch/view.go,
 * dependency/vault_common.go, vault_read.go, command/agent/template/template.go; with exit_on_retry_failure = false. One secret
 * of KV version 2 and one database role, as every agent of the fleet has them.
 */
#ifndef SIMULATION_ORIGINALS_H
#define SIMULATION_ORIGINALS_H

#include <stdbool.h>
#include <stdint.h>

struct original;

struct original_world {
    int64_t token_ttl_ms, token_max_ms, lease_ttl_ms, lease_max_ms, interval_ms;
    bool (*on_request)(void); /* it arrives now: whether the server is there */
    int64_t (*latency)(void); /* there and back */
};

struct original *original_new(const struct original_world *world); /* borrowed */
void original_start(struct original *original);
void original_free(struct original *original);

#endif
