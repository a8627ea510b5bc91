/*
 * watched_files: the files that templates read; a change of one makes its templates due.
 *
 * As with deps, a file is in use as often as watched_files_use() was called for it and watched_files_release() was not; after
 * both watched_files_settle(): what no template reads any more is let go. At most LIMIT_WATCHES are watched at a time. What could
 * not be watched is tried again after every walk, and told once until there is no such file.
 */
#ifndef FLOW_WATCHED_FILES_H
#define FLOW_WATCHED_FILES_H

#include <stddef.h>

#include "base/err.h"
#include "os/loop.h"

struct watched_files;

struct watched_files_events {
    void *ctx;
    void (*on_change)(void *ctx, const char *path);
    void (*on_trouble)(void *ctx, const char *text);
};

int watched_files_new(struct loop *loop, const struct watched_files_events *events, struct watched_files **ret, struct err *err)
    MUST_USE;
void watched_files_free(struct watched_files *watched); /* NULL is accepted */

void watched_files_use(struct watched_files *watched, const char *path); /* copied */
void watched_files_release(struct watched_files *watched, const char *path);
void watched_files_settle(struct watched_files *watched);
/* How many are watched now. */
size_t watched_files_count(const struct watched_files *watched);

#endif
