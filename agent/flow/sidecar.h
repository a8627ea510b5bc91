/*
 * sidecar: the whole machine: config -> auth -> fetch -> store -> render -> write -> notify.
 *
 * The only place where the stages' callbacks are tied together; what is logged of them stands in flow/logbook. sidecar_run()
 * returns when a signal asks for the end, when everything is on disk with exit_after_auth, or when the configuration says that an
 * error ends the program. The cause of a failure is the last line of the log.
 */
#ifndef FLOW_SIDECAR_H
#define FLOW_SIDECAR_H

#include "base/err.h"
#include "config/config.h"
#include "flow/programs.h"

struct sidecar;

struct sidecar_options {
    const struct config *config; /* borrowed */
    struct programs *programs;   /* borrowed; started */
    config_source *load;         /* SIGHUP: the configuration, read again */
    void *ctx;
};

/* Opens everything that may fail for good: CA files, the login method, sinks. No request yet. */
int sidecar_new(const struct sidecar_options *options, struct sidecar **ret, struct err *err) MUST_USE;
void sidecar_free(struct sidecar *sidecar); /* NULL is accepted */

/* Give up what is not needed any more (os/harden): after sidecar_new(), before sidecar_run(). */
int sidecar_confine(struct sidecar *sidecar, struct err *err) MUST_USE;

/* 0: ended as asked, or with the program of `exec`, whose exit code is then *ret_code. -1: the cause. */
int sidecar_run(struct sidecar *sidecar, int *ret_code, struct err *err) MUST_USE;

#endif
