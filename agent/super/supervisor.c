#include "super/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"

enum state {
    WAITING,    /* not started */
    RUNNING,    /* the timer: a change settles */
    RESTARTING, /* told to stop, and will be started again; the timer: its grace */
    ENDING,     /* told to stop; the timer: its grace */
    OVER,
    STATE_COUNT
};

enum event { ON_UPDATE, ON_TIME, ON_ENDED, ON_STOP, EVENT_COUNT };

struct supervisor {
    struct supervisor_options options;
    struct supervisor_events events;
    enum state state;
    struct loop_timer timer;
    int64_t latest;       /* a change waits no longer */
    bool touched;         /* a change that the environment does not show */
    struct guard_end end; /* how the program ended */
};

/* ---------------------------------------------------------------------------------------------------------- the end */

static void over(struct supervisor *supervisor, const struct supervisor_end *end)
{
    timer_stop(&supervisor->timer);
    supervisor->state = OVER;
    supervisor->events.on_over(supervisor->events.ctx, end);
}

static void fail(struct supervisor *supervisor, const struct err *err)
{
    over(supervisor, &(struct supervisor_end){.code = 1, .err = *err});
}

/* What keeps a program from being started is said with the way out; its name the caller knows. */
static void explain_start(int number, struct err *err)
{
    if (number == ENOENT)
        err_set(err, ERR_MISSING, "not found: it must be in this image and, without a slash, in PATH");
    else if (number == E2BIG)
        err_set(err, ERR_LIMIT, "its environment is larger than the kernel takes: render large secrets to files");
    else
        err_set(err, ERR_SYSTEM, "%s", strerror(number));
}

static void ended_itself(struct supervisor *supervisor)
{
    const struct guard_end *end = &supervisor->end;
    struct supervisor_end how = {.code = end->signo ? 128 + end->signo : end->code, .err = {.code = ERR_NONE}};

    if (end->start_errno) {
        explain_start(end->start_errno, &how.err);
        how.code = 1;
    }
    over(supervisor, &how);
}

static void ended_as_asked(struct supervisor *supervisor)
{
    over(supervisor, &(struct supervisor_end){.asked = true, .err = {.code = ERR_NONE}});
}

/* --------------------------------------------------------------------------------------------------- start and stop */

static void start(struct supervisor *supervisor)
{
    _cleanup_close_ int sealed = -1;
    struct err err;

    timer_stop(&supervisor->timer);
    supervisor->touched = false;
    supervisor->latest = CLOCK_NEVER;
    supervisor->state = RUNNING;
    environment_accept(supervisor->options.environment);
    if (environment_seal(supervisor->options.environment, &sealed, &err) != 0 ||
        guard_run(supervisor->options.guard, sealed, &err) != 0)
        fail(supervisor, &err);
}

/* A guard that cannot be asked has taken the program along, which on_ended() tells. */
static void send(struct supervisor *supervisor, int signo, enum guard_manner manner)
{
    struct err ignored;

    if (guard_signal(supervisor->options.guard, signo, manner, &ignored) != 0)
        (void)ignored;
}

static void down_the_ladder(struct supervisor *supervisor, enum state state)
{
    supervisor->state = state;
    send(supervisor, supervisor->options.ways.stop_signal, GUARD_STOP);
    timer_after(&supervisor->timer, supervisor->options.ways.grace_ms);
}

static void stop(struct supervisor *supervisor)
{
    down_the_ladder(supervisor, ENDING);
}

/* It is on its way down already. */
static void stop_instead(struct supervisor *supervisor)
{
    supervisor->state = ENDING;
}

static void kill_it(struct supervisor *supervisor)
{
    supervisor->events.on_killed(supervisor->events.ctx);
    send(supervisor, SIGKILL, GUARD_KILL);
}

/* ---------------------------------------------------------------------------------------------------------- changes */

static void settle(struct supervisor *supervisor)
{
    int64_t at = clock_now() + SUPERVISOR_SETTLE_MS;

    if (supervisor->latest == CLOCK_NEVER)
        supervisor->latest = clock_now() + 5 * SUPERVISOR_SETTLE_MS;
    timer_at(&supervisor->timer, at < supervisor->latest ? at : supervisor->latest);
}

/* The program keeps the environment that it has; told once is enough. */
static void tell(struct supervisor *supervisor)
{
    if (supervisor->options.ways.on_change == SUPERVISOR_SIGNAL)
        send(supervisor, supervisor->options.ways.change_signal, GUARD_PLAIN);
    environment_accept(supervisor->options.environment);
}

static void settled(struct supervisor *supervisor)
{
    enum supervisor_change change = supervisor->options.ways.on_change;

    supervisor->latest = CLOCK_NEVER;
    if (!environment_differs(supervisor->options.environment) && !supervisor->touched)
        return;
    supervisor->touched = false;
    supervisor->events.on_changed(supervisor->events.ctx, change);
    if (change == SUPERVISOR_RESTART)
        down_the_ladder(supervisor, RESTARTING);
    else
        tell(supervisor);
}

/* ---------------------------------------------------------------------------------------------------------- machine */

static void (*const machine[STATE_COUNT][EVENT_COUNT])(struct supervisor *supervisor) = {
    [WAITING] = {[ON_UPDATE] = start, [ON_STOP] = ended_as_asked},
    [RUNNING] = {[ON_UPDATE] = settle, [ON_TIME] = settled, [ON_ENDED] = ended_itself, [ON_STOP] = stop},
    [RESTARTING] = {[ON_TIME] = kill_it, [ON_ENDED] = start, [ON_STOP] = stop_instead},
    [ENDING] = {[ON_TIME] = kill_it, [ON_ENDED] = ended_as_asked},
};

/* What a state has no row for does not concern it. */
static void dispatch(struct supervisor *supervisor, enum event event)
{
    if (machine[supervisor->state][event])
        machine[supervisor->state][event](supervisor);
}

static void on_time(void *ctx)
{
    dispatch(ctx, ON_TIME);
}

static void on_ended(void *ctx, const struct guard_end *end)
{
    struct supervisor *supervisor = ctx;

    supervisor->end = *end;
    dispatch(supervisor, ON_ENDED);
}

static void on_started(void *ctx, pid_t pid)
{
    struct supervisor *supervisor = ctx;

    supervisor->events.on_started(supervisor->events.ctx, pid);
}

/* -------------------------------------------------------------------------------------------------------- interface */

int supervisor_new(const struct supervisor_options *options, const struct supervisor_events *events, struct supervisor **ret,
                   struct err *err)
{
    struct supervisor *supervisor = mem_alloc(sizeof(*supervisor));
    const struct guard_events guarded = {.ctx = supervisor, .on_started = on_started, .on_ended = on_ended};

    supervisor->options = *options;
    supervisor->events = *events;
    supervisor->latest = CLOCK_NEVER;
    timer_init(&supervisor->timer, options->loop, on_time, supervisor);
    if (guard_attach(options->guard, options->loop, &guarded, err) != 0) {
        mem_free(supervisor);
        return -1;
    }
    *ret = supervisor;
    return 0;
}

void supervisor_free(struct supervisor *supervisor)
{
    if (!supervisor)
        return;
    timer_stop(&supervisor->timer);
    guard_detach(supervisor->options.guard);
    mem_free(supervisor);
}

void supervisor_adjust(struct supervisor *supervisor, const struct supervisor_ways *ways)
{
    supervisor->options.ways = *ways;
}

void supervisor_update(struct supervisor *supervisor)
{
    dispatch(supervisor, ON_UPDATE);
}

void supervisor_touch(struct supervisor *supervisor)
{
    if (supervisor->options.ways.on_change != SUPERVISOR_SIGNAL || supervisor->state != RUNNING)
        return;
    supervisor->touched = true;
    dispatch(supervisor, ON_UPDATE);
}

void supervisor_signal(struct supervisor *supervisor, int signo, enum guard_manner manner)
{
    if (supervisor_runs(supervisor))
        send(supervisor, signo, manner);
}

void supervisor_stop(struct supervisor *supervisor)
{
    dispatch(supervisor, ON_STOP);
}

bool supervisor_runs(const struct supervisor *supervisor)
{
    return supervisor->state == RUNNING || supervisor->state == RESTARTING || supervisor->state == ENDING;
}
