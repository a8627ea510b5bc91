#include "flow/notify.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/limits.h"
#include "os/child.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS (5 * 60 * 1000)

/* One rule that is to be told. `again` is when; 0 means as soon as its turn comes. */
struct job {
    struct job *next;
    const struct notify_rule *rule;
    unsigned attempt; /* that were made */
    int64_t again;
};

struct notify {
    struct notify_options options;
    struct job *jobs; /* in the order in which they are to run */
    size_t count;
    struct job *running; /* still in the list */
    struct child *child;
    struct loop_timer timer;
    bool renewed; /* the running job was asked for again meanwhile */
    bool was_busy;
};

static void advance(struct notify *notify);

static void on_time(void *ctx)
{
    advance(ctx);
}

struct notify *notify_new(const struct notify_options *options)
{
    struct notify *notify = mem_alloc(sizeof(*notify));

    notify->options = *options;
    timer_init(&notify->timer, options->loop, on_time, notify);
    return notify;
}

void notify_free(struct notify *notify)
{
    if (!notify)
        return;
    timer_stop(&notify->timer);
    child_free(notify->child);
    while (notify->jobs) {
        struct job *job = notify->jobs;

        notify->jobs = job->next;
        mem_free(job);
    }
    mem_free(notify);
}

/* ---- the queue ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Identical commands have one number; a signal's target is its pid file, or its name and uid. */
static bool same_rule(const struct notify_rule *a, const struct notify_rule *b)
{
    if (a->program != b->program)
        return false;
    return a->program != NOTIFY_SIGNAL || (a->signo == b->signo && same_text(a->pid_file, b->pid_file) &&
                                           same_text(a->process.name, b->process.name) && a->process.uid == b->process.uid);
}

static struct job *find(struct notify *notify, const struct notify_rule *rule)
{
    struct job *job = notify->jobs;

    while (job && !same_rule(job->rule, rule))
        job = job->next;
    return job;
}

static void unlink_job(struct notify *notify, struct job *job)
{
    struct job **at = &notify->jobs;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    notify->count--;
}

static void append(struct notify *notify, struct job *job)
{
    struct job **at = &notify->jobs;

    while (*at)
        at = &(*at)->next;
    job->next = NULL;
    *at = job;
    notify->count++;
}

static void forget(struct notify *notify, struct job *job)
{
    unlink_job(notify, job);
    mem_free(job);
}

/* A rule that is waiting for its next attempt is told anew; one that is running has to run once more, since it may have read old files. */
static int enqueue(struct notify *notify, const struct notify_rule *rule, struct err *err)
{
    struct job *job = find(notify, rule);

    if (job && job == notify->running) {
        notify->renewed = true;
        return 0;
    }
    if (!job && notify->count >= LIMIT_TEMPLATES)
        return err_set(err, ERR_LIMIT, "%s: more than %d notifications are waiting", rule->label, LIMIT_TEMPLATES);
    if (!job) {
        job = mem_alloc(sizeof(*job));
        job->rule = rule;
        append(notify, job);
    } else if (job->again) {
        unlink_job(notify, job);
        job->rule = rule;
        job->attempt = 0;
        job->again = 0;
        append(notify, job);
    }
    return 0;
}

/* Commands of the batch come before its signals. */
int notify_batch(struct notify *notify, const struct notify_rule *const *rules, size_t count, struct err *err)
{
    for (int signals = 0; signals < 2; signals++)
        for (size_t i = 0; i < count; i++)
            if ((rules[i]->program == NOTIFY_SIGNAL) == signals && enqueue(notify, rules[i], err) < 0)
                return -1;
    /* From the loop, so that no callback runs inside this call. */
    if (count > 0)
        timer_after(&notify->timer, 0);
    return 0;
}

bool notify_busy(const struct notify *notify)
{
    for (const struct job *job = notify->jobs; job; job = job->next)
        if (job == notify->running || !job->again)
            return true;
    return false;
}

unsigned notify_failing(const struct notify *notify)
{
    unsigned n = 0;

    for (const struct job *job = notify->jobs; job; job = job->next)
        n += job->attempt > 0 && job->again;
    return n;
}

/* ---- telling ---- */

/* Doubling with full jitter, but never under the first step. */
static int64_t backoff(unsigned attempt)
{
    int64_t top = BACKOFF_FIRST_MS;

    while (attempt-- > 0 && top < BACKOFF_MAX_MS)
        top *= 2;
    top = top > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : top;
    return (int64_t)digest_jitter(BACKOFF_FIRST_MS, (double)top + 1);
}

/* A signal to an application that starts later might end it before it is ready for one. */
static bool worth_another(const struct notify *notify, const struct notify_rule *rule, const struct err *err)
{
    return err && notify->options.insist && (rule->program != NOTIFY_SIGNAL || err->code != ERR_MISSING);
}

static void finish(struct notify *notify, struct job *job, const struct proc_told *told, const struct err *err)
{
    const struct notify_rule *rule = job->rule;
    struct notify_result result = {.attempt = ++job->attempt, .told = *told, .err = err};

    if (notify->running == job)
        notify->running = NULL;
    if (notify->renewed) {
        notify->renewed = false;
        job->attempt = 0;
        job->again = 0;
    } else if (worth_another(notify, rule, err)) {
        result.again_ms = backoff(result.attempt);
        job->again = clock_now() + result.again_ms;
    } else {
        result.again_ms = NOTIFY_NOT_AGAIN;
        forget(notify, job);
    }
    notify->options.on_result(notify->options.ctx, rule, &result);
}

static int send_signal(const struct notify *notify, const struct notify_rule *rule, struct proc_told *ret_told, struct err *err)
{
    _cleanup_proc_ struct proc proc = {0};
    struct proc_want want = rule->process;

    want.launcher = launcher_pid(notify->options.launcher);
    if (!rule->pid_file)
        return proc_signal_named(&want, rule->signo, ret_told, err);
    if (proc_open_pid_file(rule->pid_file, &want, &proc, err) < 0 || proc_signal(&proc, rule->signo, err) < 0)
        return -1;
    ret_told->reached = 1;
    return 0;
}

static void on_child_done(void *ctx, const struct launch_exit *exit, const struct err *err)
{
    struct notify *notify = ctx;

    (void)exit;
    notify->child = NULL;
    finish(notify, notify->running, &(struct proc_told){0}, err);
    timer_after(&notify->timer, 0);
}

static int start_command(struct notify *notify, struct job *job, struct err *err)
{
    const struct notify_rule *rule = job->rule;

    if (!notify->options.launcher)
        return err_set(err, ERR_SYSTEM, "no launcher for commands");
    if (child_start(notify->options.loop, notify->options.launcher, (unsigned)rule->program, rule->timeout_ms, on_child_done, notify,
                    &notify->child, err) < 0)
        return -1;
    notify->running = job;
    if (rule->timeout_ms == 0)
        child_detach(notify->child);
    return 0;
}

static void tell(struct notify *notify, struct job *job)
{
    struct proc_told told = {0};
    struct err err;

    if (job->rule->program == NOTIFY_SIGNAL) {
        int failed = send_signal(notify, job->rule, &told, &err);

        finish(notify, job, &told, failed ? &err : NULL);
    } else if (start_command(notify, job, &err) < 0) {
        finish(notify, job, &told, &err);
    }
}

static struct job *next_due(struct notify *notify, int64_t now)
{
    struct job *job = notify->jobs;

    while (job && job->again > now)
        job = job->next;
    return job;
}

static void arm(struct notify *notify)
{
    int64_t at = CLOCK_NEVER;

    for (const struct job *job = notify->jobs; job; job = job->next)
        at = job->again < at ? job->again : at;
    if (at == CLOCK_NEVER)
        timer_stop(&notify->timer);
    else
        timer_at(&notify->timer, at);
}

/* One job a turn while a command runs; signals follow one another at once. */
static void advance(struct notify *notify)
{
    struct job *job;

    while (!notify->running && (job = next_due(notify, clock_now()))) {
        notify->was_busy = true;
        tell(notify, job);
    }
    if (notify->running)
        return;
    arm(notify);
    if (notify->was_busy && !notify_busy(notify)) {
        notify->was_busy = false;
        if (notify->options.on_idle)
            notify->options.on_idle(notify->options.ctx);
    }
}

void notify_reach(const struct notify_rule *rule, struct reach *reach)
{
    if (rule->pid_file)
        reach_file(reach, rule->pid_file, REACH_READ);
}
