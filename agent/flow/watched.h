/*
 * watched: the files that templates read; a change of one makes its templates due.
 *
 * As with deps, each walk says what is in use between watched_begin() and watched_end(); what no template reads any more is let go. At most
 * LIMIT_WATCHES are watched at a time. What could not be watched is tried again after every walk, and told once until there is no such file.
 */
#ifndef FLOW_WATCHED_H
#define FLOW_WATCHED_H

#include <stddef.h>

#include "base/err.h"
#include "os/loop.h"

struct watched;

struct watched_events {
    void *ctx;
    void (*on_change)(void *ctx, const char *path);
    void (*on_trouble)(void *ctx, const char *text);
};

int watched_new(struct loop *loop, const struct watched_events *events, struct watched **ret, struct err *err) MUST_USE;
void watched_free(struct watched *watched); /* NULL is accepted */

void watched_begin(struct watched *watched);
void watched_use(struct watched *watched, const char *path); /* copied */
void watched_end(struct watched *watched);
/* How many are watched now. */
size_t watched_count(const struct watched *watched);

#endif
