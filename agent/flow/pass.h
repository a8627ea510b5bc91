/*
 * pass: one walk over all templates: evaluate those that are due, write the finished ones together, say which applications to tell.
 *
 * Each template stands for itself: one that fails is tried again with back-off (or as soon as its data changes) while the others go on, and a
 * file that cannot be written keeps its old content. Finished files of one walk appear together or not at all; if that set
 * cannot be written, each file is tried alone so that one bad destination does not hold up the rest. Whoever uses a file that was replaced is told
 * in either case.
 * Holds no loop and no timer: pass_due() says when the next walk is worth while.
 */
#ifndef FLOW_PASS_H
#define FLOW_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "flow/config.h"
#include "flow/health.h"
#include "flow/notify.h"
#include "flow/plugin.h"
#include "flow/programs.h"
#include "flow/store.h"
#include "os/reach.h"
#include "vault/dep.h"

struct pass;

struct pass_events {
    void *ctx;
    /* A template failed to render or to be written; the next try comes by itself after again_ms. `fatal` where the originals end. */
    void (*on_error)(void *ctx, const struct err *err, int64_t again_ms, bool fatal);
    void (*on_written)(void *ctx, const char *label, const struct config_template *template);
    /* A dep that a template uses, and that may be asked for. */
    int (*on_dep)(void *ctx, struct dep *dep, struct err *err);
    /* A file that a template reads. */
    void (*on_file)(void *ctx, const char *path);
    /* Programs that a template waits for: start them, and say pass_plugin_ended() when one has ended. */
    void (*on_plugins)(void *ctx, struct plugin_list *plugins);
};

/* All but `events` is borrowed. Opens the destinations; one that cannot be opened yet is tried again at its first write. */
struct pass *pass_new(const struct config *config, const struct programs *programs, const struct store *store,
                      const struct pass_events *events);
void pass_free(struct pass *pass);

/* What templates, their destinations and their signals open. */
void pass_reach(const struct pass *pass, struct reach *reach);
/* Whether an application may have to be signalled. */
bool pass_signals(const struct pass *pass);

/* Something changed: the templates that use it are due. */
void pass_dep_changed(struct pass *pass, const struct dep *dep);
void pass_file_changed(struct pass *pass, const char *path);
/* It was asked for in vain: templates that only waited for it are due, if something else has come. */
void pass_dep_failed(struct pass *pass, const struct dep *dep);

/* Once an interval: a template whose files somebody else changed or removed is due. */
void pass_look(struct pass *pass);

/* A plugin ended: the templates that wait for one are due. */
void pass_plugin_ended(struct pass *pass);

/* What waits after a failure is due. */
void pass_hurry(struct pass *pass);

/* Evaluate what is due; whether anything was. */
bool pass_render(struct pass *pass);
/* Report every dep and file in use. */
void pass_report(struct pass *pass);
/* Write what is finished; rules of the files that changed into `rules` (room for two a template), how many as result. */
size_t pass_write(struct pass *pass, const struct notify_rule **rules);
/* The next moment at which pass_render() has something to do; CLOCK_NEVER: nothing. */
int64_t pass_due(const struct pass *pass);

/* Every template has been written (or found unchanged) at least once. */
bool pass_complete(const struct pass *pass);
/* "template[1] (/run/secrets/x)" of the first one that has not, and why in *ret_err (code ERR_NONE: waits for data); NULL: complete. */
const char *pass_waiting(const struct pass *pass, const struct err **ret_err);
/* The templates that fail. */
void pass_health(const struct pass *pass, struct health *health);

#endif
