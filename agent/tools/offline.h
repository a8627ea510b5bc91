/*
 * offline: what answers a template when there is no server.
 *
 * Secrets come from a store, one JSON value: {"reads": {PATH: REPLY}, "lists": {PATH: [NAME]}}, where a REPLY is what a Vault
 * server answers; a path that is not there gives nil, as in the first pass of an agent. Variables come from a list, files from
 * the disk. Store and list are borrowed.
 */
#ifndef TOOLS_OFFLINE_H
#define TOOLS_OFFLINE_H

#include <stddef.h>

#include "base/buf.h"
#include "tpl/tpl.h"

struct offline {
    struct val store;
    const char *const *env; /* NAME=VALUE; the last one of a name counts */
    size_t env_count;
};

/* The callbacks of an execution. */
struct tpl_env offline_env(struct offline *offline, int64_t now_ms);

/* RFC 3339 in milliseconds since 1970; false when it is none. */
bool offline_time(const char *text, int64_t *ret_ms);
/* A file, or standard input for "-", into a new secret buffer; pipes are welcome too. */
int offline_read(const char *path, size_t max, struct buf *ret, struct err *err) MUST_USE;

#endif
