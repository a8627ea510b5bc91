/*
 * supervisor: the life of a supervised program: started when its environment is complete, started anew (or told by a signal) when
 * that has changed, stopped in time.
 *
 * A change is acted upon when nothing has changed for SUPERVISOR_SETTLE_MS (at the latest after five times that), and only if the
 * environment is then another one than the program was started with. The stop ladder: the stop signal, and after the grace
 * SIGKILL for the whole process group. Events come from the loop. on_over() comes once, and nothing after it.
 */
#ifndef SUPER_SUPERVISOR_H
#define SUPER_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "os/loop.h"
#include "super/environment.h"
#include "super/guard.h"

#define SUPERVISOR_SETTLE_MS ((int64_t)2 * 1000)
#define SUPERVISOR_GRACE_MS  ((int64_t)30 * 1000)

struct supervisor;

enum supervisor_change { SUPERVISOR_RESTART, SUPERVISOR_SIGNAL, SUPERVISOR_LEAVE };

/* What is done to the program. */
struct supervisor_ways {
    int stop_signal;
    enum supervisor_change on_change;
    int change_signal; /* SUPERVISOR_SIGNAL */
    int64_t grace_ms;
};

struct supervisor_options {
    struct loop *loop;
    struct guard *guard;             /* borrowed; started */
    struct environment *environment; /* borrowed; filled by the caller */
    struct supervisor_ways ways;
};

struct supervisor_end {
    bool asked;     /* supervisor_end() did it */
    int code;       /* what a shell says: the exit code, 128 + the signal's number */
    struct err err; /* it could not be started; else ERR_NONE */
};

struct supervisor_events {
    void *ctx;
    void (*on_started)(void *ctx, pid_t pid);
    /* Something has changed: what is done about it. */
    void (*on_changed)(void *ctx, enum supervisor_change change);
    void (*on_killed)(void *ctx); /* it did not end in time */
    void (*on_over)(void *ctx, const struct supervisor_end *end);
};

int supervisor_new(const struct supervisor_options *options, const struct supervisor_events *events, struct supervisor **ret,
                   struct err *err) MUST_USE;
void supervisor_free(struct supervisor *supervisor); /* NULL is accepted */

/* From now on. */
void supervisor_adjust(struct supervisor *supervisor, const struct supervisor_ways *ways);
/* The environment has new values, all of them there. The first time the program starts. */
void supervisor_update(struct supervisor *supervisor);
/* Something else that the program reads has changed: with SUPERVISOR_SIGNAL it is told, else nothing happens. */
void supervisor_touch(struct supervisor *supervisor);
void supervisor_signal(struct supervisor *supervisor, int signo, enum guard_manner manner);
/* Down the ladder; on_over() tells when it is over, also when nothing ran. */
void supervisor_stop(struct supervisor *supervisor);
bool supervisor_runs(const struct supervisor *supervisor);

#endif
