/*
 * mount: where a dep lives on the server: as written, or with KV v2's "data/" and "metadata/" put in. Pure rules, no requests.
 *
 * Paths that contain /data/ (of reads), /creds/, /static-creds/ or /issue/ are taken as written, and only a refusal asks the
 * mount table (never when a segment is config, delete, undelete or destroy); for everything else the table is asked first.
 */
#ifndef VAULT_MOUNT_H
#define VAULT_MOUNT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "vault/dep.h"
#include "vault/reply.h"

enum mount_rule {
    MOUNT_ASK,        /* the table first */
    MOUNT_AS_WRITTEN, /* the path first, the table after a refusal */
    MOUNT_NEVER,      /* as written, whatever comes */
};

struct mount {
    char *path; /* "secret/" */
    bool kv2;
};

enum mount_rule mount_rule(const struct dep *dep);
/* The answer of sys/internal/ui/mounts/PATH. `namespace` is the client's: a mount path that carries it loses it. */
int mount_parse(const struct reply *reply, const char *namespace, struct mount *ret, struct err *err) MUST_USE;
bool mount_holds(const struct mount *mount, const char *path);
void mount_done(struct mount *mount);

/* Append the request's path for `dep`: escaped, with its query. NULL mount: as written. */
void mount_request_path(const struct dep *dep, const struct mount *mount, struct buf *out);
/* How long the server shall keep the answer wrapped; NULL: not at all. */
const char *mount_request_wrap_ttl(const struct dep *dep);
/* Append the body of a write: the arguments as JSON, under "data" on KV v2. */
void mount_request_body(const struct dep *dep, const struct mount *mount, struct buf *out);

#endif
