/*
 * guard: a small process between the agent and the program that it supervises.
 *
 * It is forked before the agent gives anything up and before the first secret, so what it starts has the limits, the signal mask
 * and dispositions, the descriptors 0-2 and the rest as the agent found them: as if no agent were there. It starts the one
 * command it was forked with, nothing else, with the agent's own environment and what super/environment adds, in a process group
 * of its own, which has the terminal where the agent had it. It passes signals on, reaps the program's orphans, and when the
 * program ends, kills what is left of its group. When the agent goes, program and guard go at once; when the guard is killed, the
 * kernel kills the program. Events come from the loop, one on_started or one on_ended at least for each guard_run().
 */
#ifndef SUPER_GUARD_H
#define SUPER_GUARD_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/loop.h"

struct guard;

struct guard_options {
    const char *const *argv;    /* NULL-terminated; PATH is that of the agent */
    bool group;                 /* signals are for its whole process group (a line for the shell) */
    const char *output, *error; /* files to append to, 0644; "": ours */
    const struct rlimit *core;  /* the core limit as it was; NULL: as it is */
    void (*on_pipe)(int);       /* what SIGPIPE did: SIG_IGN or SIG_DFL */
};

/* How it ended. */
struct guard_end {
    int start_errno; /* it could not be started; 0 when it ran */
    int code;        /* exit code, or -1 */
    int signo;       /* the signal that ended it, or 0 */
};

struct guard_events {
    void *ctx;
    void (*on_started)(void *ctx, pid_t pid);
    void (*on_ended)(void *ctx, const struct guard_end *end);
};

/* Forks: call it with one thread, before secrets and the loop. `options` is borrowed for the call. */
int guard_start(const struct guard_options *options, struct guard **ret, struct err *err) MUST_USE;
int guard_attach(struct guard *guard, struct loop *loop, const struct guard_events *events, struct err *err) MUST_USE;
void guard_detach(struct guard *guard); /* no events any more */
void guard_free(struct guard *guard);   /* NULL is accepted; ends the program */
pid_t guard_pid(const struct guard *guard);

/* Start the program, which must not run. `environment`: see environment_seal(); the caller keeps its own copy. */
int guard_run(struct guard *guard, int environment, struct err *err) MUST_USE;

enum guard_manner {
    GUARD_PLAIN,   /* whatever becomes of it */
    GUARD_CAREFUL, /* only if the program catches it: what the kernel does for process 1 of a container */
    GUARD_STOP,    /* it shall end: where its whole group hears that, all of it is waited for */
    GUARD_KILL     /* SIGKILL to its whole group, whatever the number */
};
/* A program that is over is not an error. */
int guard_signal(struct guard *guard, int signo, enum guard_manner manner, struct err *err) MUST_USE;

#endif
