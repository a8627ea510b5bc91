/*
 * launcher: a small process, forked before anything is restricted, that starts the configured programs.
 *
 * It exists because what harden_restrict() takes away would be inherited. Its programs are added before the fork and named by
 * number afterwards, so an agent that was taken over can start what the configuration says and nothing else (or, if told so,
 * anything). Programs of a later configuration both ends read for themselves. Programs run with the limits and the signal mask
 * that main() began with, in their own process group, with /dev/null as input, our output and error output, no other descriptor,
 * and exactly the environment they were added with. The launcher reaps them and their orphans; when the agent goes, it kills what
 * still runs and was not detached, and goes too. This is the agent's side; that process is os/launch_server. Use it through
 * os/child.
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
#include "os/program_table.h"

struct launcher;

struct launcher *launcher_new(void);
/*
 * A program by its NULL-terminated argv (PATH is that of its environment) and environment ("NAME=value", see os/environ.h), both
 * copied. Its number into `ret`; the same program again has the same number. ERR_LIMIT past LIMIT_PROGRAMS. After
 * launcher_start() see launcher_learn().
 */
int launcher_add(struct launcher *launcher, const char *const *argv, const char *const *envp, unsigned *ret, struct err *err)
    MUST_USE;
struct program_table *launcher_programs(struct launcher *launcher);
unsigned launcher_count(const struct launcher *launcher);
pid_t launcher_pid(const struct launcher *launcher);                          /* 0 before the start; NULL is accepted */
const char *launcher_name(const struct launcher *launcher, unsigned program); /* argv[0] */

/* Before launcher_start(): besides its programs it shall run any that launch_any() names, with this environment (copied). */
void launcher_allow(struct launcher *launcher, const char *const *envp);

/*
 * Before launcher_start(): programs that are added after it come from this source, which is asked in the launcher's own process.
 * For one that the agent may write to, launcher_seal() ends that for good.
 */
void launcher_source(struct launcher *launcher, program_source *source, void *ctx);
void launcher_seal(struct launcher *launcher);
bool launcher_open(const struct launcher *launcher); /* there is a source */

/* Fork. `core` is the core limit programs shall have (harden_begin() gives the original one), or NULL. Call it before secrets and
 * the loop. */
int launcher_start(struct launcher *launcher, const struct rlimit *core, struct err *err) MUST_USE;
/* Answers come through this loop from now on. */
int launcher_attach(struct launcher *launcher, struct loop *loop, struct err *err) MUST_USE;
/* Kills what still runs, waits for the launcher's end. NULL is accepted. */
void launcher_free(struct launcher *launcher);

/* How a run went. */
struct launch_exit {
    int start_errno; /* could not be started: ENOENT, EACCES, EAGAIN …; 0 when it ran */
    int code;        /* exit code, or -1 when ended by a signal */
    int signo;       /* that signal, or 0 */
};

/*
 * For os/child: run a program; the run's number into `ret_run`. Exactly one `on_exit` follows, from the loop, unless
 * launch_forget() came first. `output` becomes its standard output (-1: ours); the caller keeps its own copy. ERR_RETRY when the
 * launcher is busy or LIMIT_CHILDREN run already, ERR_SYSTEM when it is gone.
 */
typedef void launch_ended(void *ctx, const struct launch_exit *exit);
int launch(struct launcher *launcher, unsigned program, int output, launch_ended *on_exit, void *ctx, uint32_t *ret_run,
           struct err *err) MUST_USE;
/* The same for a program that was not added: ERR_DENIED without launcher_allow(), ERR_LIMIT past LIMIT_LAUNCH_BYTES of arguments.
 */
int launch_any(struct launcher *launcher, const char *const *argv, int output, launch_ended *on_exit, void *ctx,
               uint32_t *ret_run, struct err *err) MUST_USE;
/* A signal to the run's whole process group. A run that is over is not an error. */
int launch_signal(struct launcher *launcher, uint32_t run, int signo, struct err *err) MUST_USE;
/*
 * Programs were added after the start: take them over, if the launcher's source says the same. `on_done` as of launch():
 * start_errno 0 taken, ESTALE the source says something else, EPERM there is none; then they are no programs any more. Nothing to
 * do is an `on_done` as well.
 */
int launcher_learn(struct launcher *launcher, launch_ended *on_done, void *ctx, uint32_t *ret_run, struct err *err) MUST_USE;
/* Those that were added after the start and are not taken over are forgotten. */
void launcher_unlearn(struct launcher *launcher);
bool launcher_learned(const struct launcher *launcher); /* there are none such */
/* No callback any more. */
void launch_forget(struct launcher *launcher, uint32_t run);
/* It may outlive us. Its callback comes at once: with zeros when it runs, else as always. */
void launch_detach(struct launcher *launcher, uint32_t run);

#endif
