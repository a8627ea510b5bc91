/*
 * sink: files that always hold the current token.
 *
 * One write a token and file, atomic, with the configured mode and owner, no trailing newline. A failed write is tried again
 * after one to three seconds until it works or a newer token comes.
 */
#ifndef FLOW_SINK_H
#define FLOW_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/loop.h"
#include "os/reach.h"
#include "vault/token.h"

struct sinks;

struct sink_options {
    const char *path;
    unsigned mode; /* 0: 0640 */
    long uid, gid; /* -1: leave */
};

#define SINK_NEXT_TOKEN ((int64_t)-1)

struct sink_events {
    void *ctx;
    void (*on_written)(void *ctx); /* every file holds the newest token */
    void (*on_error)(void *ctx, const char *path, const struct err *err, int64_t again_ms);
};

struct sinks *sinks_new(struct loop *loop, const struct sink_options *options, size_t count, const struct sink_events *events);
void sinks_free(struct sinks *sinks);
/* Each file's folder can be written: for the start of the program. */
int sinks_check(const struct sinks *sinks, struct err *err) MUST_USE;
void sinks_reach(const struct sinks *sinks, struct reach *reach);
/* Somebody else has changed or removed a file since it was written. Never so for a wrapped token: whoever used it up may well remove it. */
bool sinks_touched(const struct sinks *sinks);
/* on_written comes from the loop, also when there are no files. */
void sinks_put(struct sinks *sinks, const struct token *token);

#endif
