#include "flow/errand.h"

#include <poll.h>

#include "base/clock.h"
#include "base/limits.h"
#include "os/beacon.h"
#include "os/proc.h"

#define ANSWER_MS ((int64_t)5 * 1000)
#define PAUSE_MS  50

static const struct proc_want anybody = {.uid = PROC_ANY_UID, .allow_init = true};

static int find_pid(const struct errand *errand, pid_t *ret, struct err *err)
{
    pid_t pids[LIMIT_BEACONS];
    int count;

    if (errand->pid) {
        *ret = errand->pid;
        return 0;
    }
    count = beacon_list(pids, err);
    if (count < 0)
        return -1;
    if (count > 1)
        return err_set(err, ERR_INPUT, "%d agents run here: say which by -pid or -pid-file", count);
    if (count == 0)
        return err_set(err, ERR_MISSING, "no agent of this uid runs in this container");
    *ret = pids[0];
    return 0;
}

/* One that is too busy to answer is one still. */
static int check(pid_t pid, struct err *err)
{
    char answer[BEACON_ANSWER_MAX];

    return beacon_ask(pid, ANSWER_MS, answer, err) >= 0 || err->code == ERR_RETRY ? 0 : -1;
}

static int find(const struct errand *errand, struct proc *ret, struct err *err)
{
    pid_t pid = 0;

    if (errand->pid_file)
        return proc_open_pid_file(errand->pid_file, &anybody, ret, err);
    return find_pid(errand, &pid, err) != 0 ? -1 : proc_open(pid, &anybody, ret, err);
}

static bool has_ended(const struct proc *proc)
{
    _cleanup_proc_ struct proc now = {.pidfd = -1};
    struct err err;

    return proc_open(proc->pid, &anybody, &now, &err) != 0 || now.start != proc->start;
}

static int wait_for_end(const struct proc *proc, int64_t wait_ms, struct err *err)
{
    int64_t end;

    clock_turn();
    end = clock_now() + wait_ms;
    while (!has_ended(proc)) {
        clock_turn();
        if (clock_now() >= end)
            return err_set(err, ERR_RETRY, "the agent (process %d) still runs", (int)proc->pid);
        poll(NULL, 0, PAUSE_MS);
    }
    return 0;
}

int errand_run(const struct errand *errand, struct err *err)
{
    _cleanup_proc_ struct proc proc = {.pidfd = -1};

    if (find(errand, &proc, err) != 0 || check(proc.pid, err) != 0 || proc_signal(&proc, errand->signo, err) != 0)
        return -1;
    return errand->wait_ms ? wait_for_end(&proc, errand->wait_ms, err) : 0;
}
