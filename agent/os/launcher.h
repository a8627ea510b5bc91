/*
 * launcher: a small process, forked before anything is restricted or secret, that starts programs.
 *
 * It exists because what harden_restrict() takes away would be inherited. Requests and answers are single messages on a socket pair: spawn
 * (argv, environment), signal, and the answers started and exited. Programs run with the limits and signal mask that main() began with, in
 * their own process group, with /dev/null as input, our output and error output, no other descriptor, and exactly the given environment.
 * The launcher is their parent and reaps them and their orphans; when the agent goes, it kills what is left and goes too.
 * Use it through os/child. Limits: LIMIT_SPAWN_BYTES a request, LIMIT_CHILDREN at a time.
 */
#ifndef OS_LAUNCHER_H
#define OS_LAUNCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/loop.h"

struct launcher;

/* How a run went. */
struct launch_exit {
    int start_errno; /* could not be started: ENOENT, EACCES, EAGAIN …; 0 when it ran */
    int code;        /* exit code, or -1 when ended by a signal */
    int signo;       /* that signal, or 0 */
};

/* `core` is the core limit programs shall have (harden_begin() gives the original one), or NULL. Call early: one thread, no secrets, no loop. */
int launcher_start(const struct rlimit *core, struct launcher **ret, struct err *err) MUST_USE;
/* Let answers come through the loop. */
int launcher_attach(struct launcher *launcher, struct loop *loop, struct err *err) MUST_USE;
/* Kills what still runs, waits for the launcher's end. NULL is accepted. */
void launcher_stop(struct launcher *launcher);

/* For os/child: start a program; its number into `ret_id`. Exactly one call of `on_exit` follows, from the loop, unless launch_forget() came first. */
typedef void launch_ended(void *ctx, const struct launch_exit *exit);
int launch(struct launcher *launcher, const char *const *argv, const char *const *envp, launch_ended *on_exit, void *ctx, uint32_t *ret_id,
           struct err *err) MUST_USE;
/* A signal to the whole process group of run `id`. A run that is over is not an error. */
int launch_signal(struct launcher *launcher, uint32_t id, int signo, struct err *err) MUST_USE;
void launch_forget(struct launcher *launcher, uint32_t id);

#endif
