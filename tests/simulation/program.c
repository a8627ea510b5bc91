#include "program.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "chance.h"
#include "flaw.h"
#include "instant.h"
#include "super/environment.h"
#include "super/guard.h"

struct guard {
    struct guard_events events;
    struct loop_timer start, end;
    struct guard_end how;
    bool runs, asked; /* asked: it was told to end */
};

static struct program_events listener;
static struct guard *of_now; /* of the pod that is looked at */

void program_listen(const struct program_events *events)
{
    listener = *events;
}

/* --------------------------------------------------------------------------------------------------------- its life */

static void over(struct guard *guard)
{
    timer_stop(&guard->start);
    timer_stop(&guard->end);
    if (guard->runs)
        listener.on_end(listener.ctx, guard->asked);
    guard->runs = false;
}

static void on_start(void *ctx)
{
    struct guard *guard = ctx;

    if (guard->events.on_started)
        guard->events.on_started(guard->events.ctx, 4711);
}

static void on_end(void *ctx)
{
    struct guard *guard = ctx;

    over(guard);
    if (guard->events.on_ended)
        guard->events.on_ended(guard->events.ctx, &guard->how);
}

static void end_after(struct guard *guard, int64_t ms, const struct guard_end *how)
{
    guard->how = *how;
    timer_after(&guard->end, ms);
}

bool program_fall(void)
{
    if (!of_now || !of_now->runs || of_now->asked)
        return false;
    end_after(of_now, 0, &(struct guard_end){.code = 3});
    return true;
}

/* What follows "SECRETS=" in a row of "NAME=value\0". */
static const char *secrets_in(const char *map, size_t len)
{
    static const char start[] = PROGRAM_VARIABLE "=";

    for (size_t i = 0; i < len; i += strlen(map + i) + 1)
        if (strncmp(map + i, start, strlen(start)) == 0)
            return map + i + strlen(start);
    return NULL;
}

int guard_run(struct guard *guard, int environment, struct err *err)
{
    bool alone = !guard->runs;
    size_t len = 0;
    char *map = NULL;

    if (environment_map(environment, &map, &len) != 0)
        return err_set(err, ERR_SYSTEM, "no environment");
    guard->asked = false;
    guard->runs = true;
    listener.on_start(listener.ctx, map ? secrets_in(map, len) : NULL, alone);
    environment_discard(map, len);
    if (chance_is(0.003))
        end_after(guard, 1, &(struct guard_end){.start_errno = EAGAIN});
    else
        timer_after(&guard->start, (int64_t)chance_spread(1, 200));
    return 0;
}

int guard_signal(struct guard *guard, int signo, enum guard_manner manner, struct err *err)
{
    (void)err;
    if (!guard->runs || flawed(FLAW_MUTE))
        return 0;
    if (manner == GUARD_KILL) {
        guard->asked = true;
        end_after(guard, 1, &(struct guard_end){.code = -1, .signo = SIGKILL});
    } else if (manner == GUARD_STOP) {
        guard->asked = true;
        if (!chance_is(0.05)) /* else it has to be killed */
            end_after(guard, (int64_t)chance_spread(1, 60000), &(struct guard_end){.code = 0});
    } else {
        listener.on_signal(listener.ctx, signo);
    }
    return 0;
}

/* ---------------------------------------------------------------------------------------------------- begin and end */

int guard_start(const struct guard_options *options, struct guard **ret, struct err *err)
{
    (void)options, (void)err;
    of_now = *ret = mem_alloc(sizeof(struct guard));
    return 0;
}

int guard_attach(struct guard *guard, struct loop *loop, const struct guard_events *events, struct err *err)
{
    (void)err;
    guard->events = *events;
    timer_init(&guard->start, loop, on_start, guard);
    timer_init(&guard->end, loop, on_end, guard);
    return 0;
}

void guard_detach(struct guard *guard)
{
    guard->events = (struct guard_events){.ctx = NULL};
}

void guard_free(struct guard *guard)
{
    if (!guard)
        return;
    guard->asked = true;
    over(guard);
    if (of_now == guard)
        of_now = NULL;
    mem_free(guard);
}

pid_t guard_pid(const struct guard *guard)
{
    (void)guard;
    return 0;
}
