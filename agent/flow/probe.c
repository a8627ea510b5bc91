#include "flow/probe.h"

#include <poll.h>

#include "base/clock.h"
#include "base/limits.h"
#include "os/beacon.h"

#define ANSWER_MS ((int64_t)5 * 1000) /* an agent writes files between two turns of its loop */
#define PAUSE_MS  100

static int ask_one(const struct probe_options *options, pid_t pid, struct buf *remark, struct err *err)
{
    char answer[BEACON_ANSWER_MAX];
    ssize_t len = beacon_ask(pid, ANSWER_MS, answer, err);
    struct health health;

    if (len < 0)
        return -1;
    if (!health_read(answer, (size_t)len, &health))
        return err_set(err, ERR_INPUT, "the agent (process %d) is of another version", (int)pid);
    if (health_judge(&health, options->purpose, options->patience_ms, err) != 0)
        return -1;
    if (health.trouble_ms >= 0)
        buf_addf(remark, "last error: %s\n", health.trouble);
    return 0;
}

/* A name that a neighbour of another uid has taken, or that went away meanwhile, says nothing about our agent. */
static bool is_another(const struct err *err)
{
    return err->code == ERR_DENIED || err->code == ERR_MISSING;
}

static int ask_all(const struct probe_options *options, struct buf *remark, struct err *err)
{
    pid_t pids[LIMIT_BEACONS] = {options->pid};
    int count = options->pid ? 1 : beacon_list(pids, err), good = 0;

    if (count < 0)
        return -1;
    buf_reset(remark);
    for (int i = 0; i < count; i++) {
        if (ask_one(options, pids[i], remark, err) == 0)
            good++;
        else if (options->pid || !is_another(err))
            return -1;
    }
    return good ? 0 : err_set(err, ERR_MISSING, "no agent of this uid runs in this container");
}

int probe(const struct probe_options *options, struct buf *remark, struct err *err)
{
    int64_t end;

    clock_turn();
    end = clock_now() + options->wait_ms;
    while (ask_all(options, remark, err) != 0) {
        clock_turn();
        if (clock_now() >= end)
            return -1;
        poll(NULL, 0, PAUSE_MS);
    }
    return 0;
}
