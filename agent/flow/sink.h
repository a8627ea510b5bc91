/*
 * sink: files that always hold the current token.
 *
 * One write a token and file, atomic, with the configured mode and owner, no trailing newline. Where a sink asks for it the token
 * is wrapped by the server first (`wrap_ttl`), then sealed for its reader (`dh_path`, see vault/token_seal). What fails is tried
 * again until it works or a newer token comes: a file after one to three seconds, a server that does not wrap after one second
 * to half a minute.
 */
#ifndef FLOW_SINK_H
#define FLOW_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "config/config.h"
#include "os/loop.h"
#include "os/reach.h"
#include "vault/client.h"
#include "vault/token.h"

struct sinks;

#define SINK_NEXT_TOKEN ((int64_t)-1)

struct sink_events {
    void *ctx;
    void (*on_written)(void *ctx); /* every file holds the newest token */
    void (*on_error)(void *ctx, const char *path, const struct err *err, int64_t again_ms);
};

/* `sinks` are borrowed, as is `client`, which only wrapping needs. */
struct sinks *sinks_new(struct loop *loop, struct client *client, const struct config_sink *sinks, size_t count,
                        const struct sink_events *events);
void sinks_free(struct sinks *sinks);
/* Each file's folder can be written: for the start of the program. */
int sinks_check(const struct config_sink *sinks, size_t count, struct err *err) MUST_USE;
void sinks_reach(const struct config_sink *sinks, size_t count, struct reach *reach);
/* Other sinks: those that were there go on, the others are given the token (NULL: the next one); files of those that are gone
 * stay. */
void sinks_take(struct sinks *sinks, const struct config_sink *configs, size_t count, const struct token *token);
/* One does not hold the newest token yet. */
bool sinks_pending(const struct sinks *sinks);
/* Somebody else has changed or removed a file since it was written. Never so for a wrapped token: whoever used it up may well
 * remove it. */
bool sinks_touched(const struct sinks *sinks);
/* on_written comes from the loop, also when there are no files. */
void sinks_put(struct sinks *sinks, const struct token *token);

#endif
