/*
 * plugin: programs that a template runs with `plugin`, and what they print.
 *
 * Off unless the configuration says `ampule { allow = ["plugin"] }`. As with secrets the evaluation only notes what it wants and
 * goes on without; the run is started afterwards, and its end makes the template due again. An answer is good until the template
 * is finished or has failed, so each finished rendering has run each program once, however many passes it took. Limits:
 * LIMIT_TEMPLATE_PLUGINS, LIMIT_PLUGIN_BYTES, 30 s.
 */
#ifndef RENDER_PLUGIN_H
#define RENDER_PLUGIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/val.h"
#include "os/launcher.h"
#include "os/loop.h"

struct plugin {
    const char **argv;
    enum { PLUGIN_WANTED, PLUGIN_RUNS, PLUGIN_ENDED } state;
    struct capture *capture;
    struct buf output; /* secret, without white space at both ends */
    struct err err;    /* code ERR_NONE: it ended well */
    void (*on_end)(void *ctx);
    void *ctx;
};

struct plugin_list {
    struct plugin *items; /* LIMIT_TEMPLATE_PLUGINS; they do not move */
    size_t len;
};

/* What that program printed; NULL in *ret while that is not known: then it is wanted, if it `may` run. -1: too many, or it
 * failed. */
int plugin_find(struct plugin_list *list, struct str name, const struct val *args, size_t argc, bool may, const struct buf **ret,
                struct err *err) MUST_USE;
/* One that was wanted or runs. */
bool plugin_pending(const struct plugin_list *list);
/* Start what is wanted; on_end comes from the loop for each. */
void plugin_start(struct plugin_list *list, struct loop *loop, struct launcher *launcher, void (*on_end)(void *ctx), void *ctx);
/* Forget every answer, end what runs. */
void plugin_clear(struct plugin_list *list);

#endif
