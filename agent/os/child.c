#include "os/child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"

struct child {
    struct launcher *launcher;
    uint32_t run;
    unsigned program;
    child_done *done;
    void *ctx;
    int64_t timeout_ms;
    struct loop_timer limit;
    bool timed_out, detached;
};

static void signal_quietly(struct child *child, int signo)
{
    struct err ignored;

    /* The launcher being gone means that the program is gone as well, which on_exit() tells. */
    if (launch_signal(child->launcher, child->run, signo, &ignored) != 0)
        (void)ignored;
}

static void on_limit(void *ctx)
{
    struct child *child = ctx;

    signal_quietly(child, child->timed_out ? SIGKILL : SIGTERM);
    if (child->timed_out)
        return;
    child->timed_out = true;
    timer_after(&child->limit, CHILD_GRACE_MS);
}

static int explain(const struct child *child, const struct launch_exit *exit, struct err *err)
{
    const char *name = launcher_name(child->launcher, child->program);

    if (exit->start_errno == ENOENT)
        return err_set(err, ERR_RETRY, "\"%s\": not found: install it in this image, or use notify with a signal", name);
    if (exit->start_errno)
        return err_set(err, ERR_RETRY, "\"%s\": cannot be started: %s", name, strerror(exit->start_errno));
    if (child->detached)
        return 0; /* how it ended is its own matter */
    if (child->timed_out)
        return err_set(err, ERR_RETRY, "\"%s\": did not end within %lld s, killed with its process group", name,
                       clock_seconds_up(child->timeout_ms));
    if (exit->signo)
        return err_set(err, ERR_RETRY, "\"%s\": ended by signal %d", name, exit->signo);
    return exit->code ? err_set(err, ERR_RETRY, "\"%s\": exit code %d", name, exit->code) : 0;
}

static void on_exit_of_child(void *ctx, const struct launch_exit *exit)
{
    struct child *child = ctx;
    struct err err;
    int failed = explain(child, exit, &err);

    timer_stop(&child->limit);
    child->done(child->ctx, exit, failed ? &err : NULL);
    mem_free(child);
}

int child_start(struct loop *loop, struct launcher *launcher, unsigned program, int64_t timeout_ms, child_done *done, void *ctx,
                struct child **ret, struct err *err)
{
    struct child *child = mem_alloc(sizeof(*child));

    *child = (struct child){.launcher = launcher, .program = program, .done = done, .ctx = ctx, .timeout_ms = timeout_ms};
    timer_init(&child->limit, loop, on_limit, child);
    if (launch(launcher, program, -1, on_exit_of_child, child, &child->run, err) != 0) {
        mem_free(child);
        return -1;
    }
    if (timeout_ms > 0)
        timer_after(&child->limit, timeout_ms);
    *ret = child;
    return 0;
}

int child_signal(struct child *child, int signo, struct err *err)
{
    return launch_signal(child->launcher, child->run, signo, err);
}

void child_free(struct child *child)
{
    if (!child)
        return;
    if (!child->detached)
        signal_quietly(child, SIGKILL);
    launch_forget(child->launcher, child->run);
    timer_stop(&child->limit);
    mem_free(child);
}

void child_detach(struct child *child)
{
    child->detached = true;
    timer_stop(&child->limit);
    launch_detach(child->launcher, child->run);
}
