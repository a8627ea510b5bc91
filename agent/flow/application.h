/*
 * application: the program of the `exec` block, with what the env_templates say.
 *
 * Collects the variables, has super/supervisor start the program when everything else is done once, and tells it of changes. HUP
 * comes from the sidecar, other signals are passed on from here. Says its own lines in the log.
 */
#ifndef FLOW_APPLICATION_H
#define FLOW_APPLICATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"
#include "os/loop.h"
#include "super/guard.h"
#include "super/supervisor.h"

struct application;

struct application_options {
    struct loop *loop;
    const struct config *config; /* borrowed */
    struct guard *guard;         /* borrowed; started */
    /* It is over, after application_stop() or by itself. */
    void (*on_over)(void *ctx, const struct supervisor_end *end);
    void *ctx;
};

int application_new(const struct application_options *options, struct application **ret, struct err *err) MUST_USE;
void application_free(struct application *application); /* NULL is accepted */

int application_value(struct application *application, const struct config_template *template, const void *value, size_t len,
                      struct err *err) MUST_USE;
/* A file was written: unless somebody is `told` of it already, the program may be. */
void application_written(struct application *application, const struct config_template *template, bool told);
/* After each walk. `done`: everything has been written once, so it may start. */
void application_settle(struct application *application, bool done);
/* A line. */
void application_status(const struct application *application, struct buf *out);
/* A signal that the agent takes first: HUP, USR1. */
void application_signal(struct application *application, int signo);
/* Another configuration, with the same program: its variables, and what is done to it. */
void application_take(struct application *application, const struct config *config);
void application_stop(struct application *application);

#endif
