/*
 * mount: the table of what is mounted where, secrets engines and logins alike.
 */
#ifndef SANDBOX_MOUNT_H
#define SANDBOX_MOUNT_H

#include "sandbox/api.h"

/* `path` ends in "/"; logins begin with "auth/". `type` may be "kv-v2". ERR_INPUT in the real server's words. */
int mount_add(struct sandbox *box, const char *path, const char *type, int version, const char *description, struct err *err)
    MUST_USE;
void mount_remove(struct sandbox *box, struct mount *mount);
void mounts_done(struct sandbox *box);

/* The mount that serves `path`, or NULL. */
struct mount *mount_of(struct sandbox *box, const char *path);
/* By its exact path. */
struct mount *mount_at(struct sandbox *box, const char *path);
/* The fields of one entry in sys/mounts, an open object's inside. `effective`: system TTLs instead of 0. */
void mount_describe(const struct mount *mount, bool effective, struct buf *out);

#endif
