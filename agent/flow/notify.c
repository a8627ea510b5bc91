#include "flow/notify.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/retry.h"
#include "os/child.h"

static const struct retry_policy telling = {RETRY_FROM_FIRST, .first_ms = 1000, .most_ms = 5 * 60 * 1000};

/* One rule that is to be told. `again` is when; 0 means as soon as its turn comes. */
struct job {
    struct job *next;
    struct notify_rule rule; /* texts owned: the template may be gone when its turn comes */
    struct retry retry;
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

static void rule_copy(struct notify_rule *into, const struct notify_rule *rule)
{
    *into = *rule;
    into->label = mem_strdup(rule->label);
    into->pid_file = rule->pid_file ? mem_strdup(rule->pid_file) : NULL;
    into->process.name = rule->process.name ? mem_strdup(rule->process.name) : NULL;
}

static void job_free(struct job *job)
{
    mem_free((void *)job->rule.label);
    mem_free((void *)job->rule.pid_file);
    mem_free((void *)job->rule.process.name);
    mem_free(job);
}

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
        job_free(job);
    }
    mem_free(notify);
}

/* --------------------------------------------------------------------------------------------------- the queue ---- */

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

    while (job && !same_rule(&job->rule, rule))
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
    job_free(job);
}

/* A rule that is waiting for its next attempt is told anew; one that is running has to run once more, since it may have read old
 * files. */
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
        rule_copy(&job->rule, rule);
        retry_init(&job->retry, &telling);
        append(notify, job);
    } else if (job->again) {
        unlink_job(notify, job);
        retry_reset(&job->retry);
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
            if ((rules[i]->program == NOTIFY_SIGNAL) == signals && enqueue(notify, rules[i], err) != 0)
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

static bool is_among(const struct notify_rule *rule, const struct notify_rule *const *rules, size_t count)
{
    while (count > 0 && !same_rule(rule, rules[count - 1]))
        count--;
    return count > 0;
}

void notify_retain(struct notify *notify, const struct notify_rule *const *rules, size_t count)
{
    struct job *next;

    for (struct job *job = notify->jobs; job; job = next) {
        next = job->next;
        if (job->again && job != notify->running && !is_among(&job->rule, rules, count))
            forget(notify, job);
    }
}

unsigned notify_failing(const struct notify *notify)
{
    unsigned n = 0;

    for (const struct job *job = notify->jobs; job; job = job->next)
        n += job->retry.failures > 0 && job->again;
    return n;
}

/* ----------------------------------------------------------------------------------------------------- telling ---- */

/* A signal to an application that starts later might end it before it is ready for one. */
static bool worth_another(const struct notify *notify, const struct notify_rule *rule, const struct err *err)
{
    return err && notify->options.insist && (rule->program != NOTIFY_SIGNAL || err->code != ERR_MISSING);
}

static void finish(struct notify *notify, struct job *job, const struct proc_told *told, const struct err *err)
{
    struct notify_result result = {.attempt = job->retry.failures + 1, .told = *told, .err = err};
    bool over = false;

    if (notify->running == job)
        notify->running = NULL;
    if (notify->renewed) {
        notify->renewed = false;
        retry_reset(&job->retry);
        job->again = 0;
    } else if (worth_another(notify, &job->rule, err)) {
        result.again_ms = retry_next(&job->retry, clock_now(), NULL);
        job->again = clock_now() + result.again_ms;
    } else {
        result.again_ms = NOTIFY_NOT_AGAIN;
        unlink_job(notify, job);
        over = true;
    }
    notify->options.on_result(notify->options.ctx, &job->rule, &result);
    if (over)
        job_free(job);
}

/* In a pod the uid is an annotation's matter. */
static int advise(struct err *err)
{
    struct err plain = *err;

    if (plain.code != ERR_DENIED)
        return -1;
    return err_set(err, ERR_DENIED, "%s (annotation vault.hashicorp.com/agent-run-as-user)", plain.text);
}

static int send_signal(const struct notify *notify, const struct notify_rule *rule, struct proc_told *ret_told, struct err *err)
{
    _cleanup_proc_ struct proc proc = {0};
    struct proc_want want = rule->process;

    want.launcher = launcher_pid(notify->options.launcher);
    if (!rule->pid_file)
        return proc_signal_named(&want, rule->signo, ret_told, err) != 0 ? advise(err) : 0;
    if (proc_open_pid_file(rule->pid_file, &want, &proc, err) != 0)
        return -1;
    if (proc_signal(&proc, rule->signo, err) != 0)
        return advise(err);
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
    const struct notify_rule *rule = &job->rule;

    if (!notify->options.launcher)
        return err_set(err, ERR_SYSTEM, "no launcher for commands");
    if (child_start(notify->options.loop, notify->options.launcher, (unsigned)rule->program, rule->timeout_ms, on_child_done,
                    notify, &notify->child, err) != 0)
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

    if (job->rule.program == NOTIFY_SIGNAL) {
        int failed = send_signal(notify, &job->rule, &told, &err);

        finish(notify, job, &told, failed ? &err : NULL);
    } else if (start_command(notify, job, &err) != 0) {
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
