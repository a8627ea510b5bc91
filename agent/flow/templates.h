/*
 * templates: all templates of the configuration, walked over together: evaluate those that are due, write the finished ones
 * together, say which applications to tell.
 *
 * Each template stands for itself: one that fails is tried again with back-off (or as soon as its data changes) while the others
 * go on, and a file that cannot be written keeps its old content. Finished files of one walk appear together or not at all; if
 * that set cannot be written, each file is tried alone so that one bad destination does not hold up the rest. Whoever uses a file
 * that was replaced is told in either case. Files of an `atomic_group` switch together or not at all (flow/file_group). Holds no
 * loop and no timer: templates_due() says when the next walk is worth while.
 */
#ifndef FLOW_TEMPLATES_H
#define FLOW_TEMPLATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/config.h"
#include "config/difference.h"
#include "fetch/health.h"
#include "fetch/store.h"
#include "flow/notify.h"
#include "flow/programs.h"
#include "os/reach.h"
#include "render/plugin.h"
#include "vault/dep.h"

struct templates;

struct templates_events {
    void *ctx;
    /* A template failed to render or to be written; the next try comes by itself after again_ms. `fatal` where the originals end.
     */
    void (*on_error)(void *ctx, const struct err *err, int64_t again_ms, bool fatal);
    /* `told`: it has a command or a signal, or its group has. */
    void (*on_written)(void *ctx, const char *label, const struct config_template *template, bool told);
    /* The text of an env_template, which goes nowhere else. */
    int (*on_value)(void *ctx, const struct config_template *template, const void *value, size_t len, struct err *err);
    /* A dep that a template uses, and that may be asked for. */
    int (*on_dep)(void *ctx, struct dep *dep, struct err *err);
    /* One that it used, and uses no more. */
    void (*on_dep_unused)(void *ctx, const struct dep *dep);
    /* The same for a file that a template reads. */
    void (*on_file)(void *ctx, const char *path);
    void (*on_file_unused)(void *ctx, const char *path);
    /* Programs that a template waits for: start them, and say templates_plugin_ended() when one has ended. */
    void (*on_plugins)(void *ctx, struct plugin_list *plugins);
};

/* All but `events` is borrowed. Opens the destinations; one that cannot be opened yet is tried again at its first write. */
struct templates *templates_new(const struct config *config, const struct programs *programs, const struct store *store,
                                const struct templates_events *events);
void templates_free(struct templates *templates);

/* What templates, their destinations and their signals open. */
void templates_reach(const struct templates *templates, struct reach *reach);
/* Whether an application may have to be signalled. */
bool templates_signals(const struct templates *templates);

/* The addresses of this machine were read, for `sockaddr`. */
bool templates_know_interfaces(const struct templates *templates);

/*
 * Another configuration. Check: templates whose source file holds another text are noted as edited, and all that begin anew are
 * compiled; the error names file, line and template. Take: those that did not change go on, the others begin anew; their files
 * stay as they are until then, and those of templates that are gone stay. `numbers`: of the commands.
 */
int templates_check(const struct templates *templates, const struct config *config, struct difference *difference,
                    struct err *err) MUST_USE;
void templates_take(struct templates *templates, const struct config *config, const struct difference *difference,
                    const int *numbers);
/* All rules into `rules` (room for two a template and one a group); how many. */
size_t templates_rules(const struct templates *templates, const struct notify_rule **rules);

/* Something changed: the templates that use it are due. */
void templates_dep_changed(struct templates *templates, const struct dep *dep);
void templates_file_changed(struct templates *templates, const char *path);
/* It was asked for in vain: templates that only waited for it are due, if something else has come. */
void templates_dep_failed(struct templates *templates, const struct dep *dep);

/* Once an interval: a template whose files somebody else changed or removed is due. */
void templates_look(struct templates *templates);

/* A plugin ended: the templates that wait for one are due. */
void templates_plugin_ended(struct templates *templates);

/* What waits after a failure is due. */
void templates_hurry(struct templates *templates);

/* Evaluate what is due; whether anything was. */
bool templates_render(struct templates *templates);
/* Report what those that were evaluated use now, and what they use no more. */
void templates_report(struct templates *templates);
/* Write what is finished; rules of the files that changed into `rules` (room for two a template and one a group), how many as
 * result. */
size_t templates_write(struct templates *templates, const struct notify_rule **rules);
/* The next moment at which templates_render() has something to do; CLOCK_NEVER: nothing. */
int64_t templates_due(const struct templates *templates);

/* Every template has been written (or found unchanged) at least once. */
bool templates_complete(const struct templates *templates);
/* "template[1] (/run/secrets/x)" of the first one that has not, and why in *ret_err (NULL: waits for data); NULL:
 * complete. */
const char *templates_waiting(const struct templates *templates, const struct err **ret_err);
/* A line for each. */
void templates_status(const struct templates *templates, struct buf *out);
/* The templates that fail. */
void templates_health(const struct templates *templates, struct health *health);

#endif
