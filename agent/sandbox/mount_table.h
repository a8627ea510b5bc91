/*
 * mount_table: what is mounted where, secrets engines and logins alike.
 */
#ifndef SANDBOX_MOUNT_TABLE_H
#define SANDBOX_MOUNT_TABLE_H

#include <sys/queue.h>

#include "base/buf.h"
#include "base/err.h"
#include "sandbox/document.h"
#include "sandbox/engine.h"

struct kv_entry;

struct mount {
    char *path; /* "secret/", "auth/kubernetes/" */
    char *uuid, *accessor, *description;
    const struct engine *engine;
    int64_t default_ttl_s, max_ttl_s;
    struct documents roles, settings; /* settings: "config" and what else the engine keeps by name */
    LIST_HEAD(, kv_entry) entries;
    LIST_ENTRY(mount) link; /* sorted by path */
};

struct mount_table {
    const struct engines *engines;
    LIST_HEAD(, mount) list;
};

/* `path` ends in "/"; logins begin with "auth/". `type` may be "kv-v2". ERR_INPUT in the real server's words. */
int mount_table_add(struct mount_table *table, const char *path, const char *type, int version, const char *description,
                    struct err *err) MUST_USE;
/* Leases of what was mounted there end before. */
void mount_table_remove(struct mount *mount);
void mount_table_done(struct mount_table *table);

/* The mount that serves `path`, or NULL. */
struct mount *mount_table_serving(const struct mount_table *table, const char *path);
/* By its exact path. */
struct mount *mount_table_find(const struct mount_table *table, const char *path);
/* The fields of one entry in sys/mounts, an open object's inside. `effective`: system TTLs instead of 0. */
void mount_table_describe(const struct mount *mount, bool effective, struct buf *out);

#endif
