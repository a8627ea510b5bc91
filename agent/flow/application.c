#include "flow/application.h"

#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "super/environment.h"
#include "super/forward.h"

#define MODULE "agent.exec.server"

struct application {
    const struct config *config;
    struct environment *environment;
    struct supervisor *supervisor;
    struct forward *forward;
    bool started, changed;
    pid_t pid; /* of the program, its start, and how many there were */
    int64_t since;
    unsigned starts;
    void (*on_over)(void *ctx, const struct supervisor_end *end);
    void *ctx;
};

/* ---------------------------------------------------------------------------------------------------------- the log */

static const char *name(const struct application *application)
{
    return application->config->exec.command.argv[0];
}

static int64_t grace_ms(const struct config_exec *exec)
{
    return exec->grace_ms ? exec->grace_ms : SUPERVISOR_GRACE_MS;
}

static void on_started(void *ctx, pid_t pid)
{
    struct application *application = ctx;

    application->pid = pid;
    application->since = clock_now();
    application->starts++;
    log_info(MODULE, "started: command=%s pid=%d", name(ctx), (int)pid);
}

static void on_changed(void *ctx, enum supervisor_change change)
{
    const struct config_exec *exec = &((struct application *)ctx)->config->exec;

    if (change == SUPERVISOR_RESTART)
        log_info(MODULE, "the environment has changed: restarting: signal=%s",
                 exec->stop_signal ? sigabbrev_np(exec->stop_signal) : "none");
    else if (change == SUPERVISOR_SIGNAL)
        log_info(MODULE, "something has changed: signal=%s", sigabbrev_np(exec->change_signal));
    else
        log_info(MODULE, "the environment has changed; the program keeps the old one, as restart_on_secret_changes asks for");
}

static void on_killed(void *ctx)
{
    log_warn(MODULE, "did not end within %d s: killed with its process group: command=%s",
             (int)(grace_ms(&((struct application *)ctx)->config->exec) / 1000), name(ctx));
}

static void on_over(void *ctx, const struct supervisor_end *end)
{
    struct application *application = ctx;
    struct supervisor_end told = *end;

    if (told.err.code)
        err_wrap(&told.err, "exec: \"%s\"", name(application));
    else
        log_info(MODULE, "ended%s: command=%s exit_code=%d", end->asked ? " as asked" : "", name(application), end->code);
    application->on_over(application->ctx, &told);
}

/* ---------------------------------------------------------------------------------------------------------- signals */

static void on_signal(void *ctx, int signo, enum guard_manner manner)
{
    log_debug(MODULE, "signal passed on: signal=%d", signo);
    supervisor_signal(((struct application *)ctx)->supervisor, signo, manner);
}

void application_signal(struct application *application, int signo)
{
    on_signal(application, signo, forward_manner(signo));
}

void application_status(const struct application *application, struct buf *out)
{
    if (supervisor_runs(application->supervisor))
        buf_addf(out, "program: runs: command=%s pid=%d since=%llds starts=%u\n", name(application), (int)application->pid,
                 (long long)((clock_now() - application->since) / 1000), application->starts);
    else
        buf_addf(out, "program: not started: command=%s\n", name(application));
}

/* --------------------------------------------------------------------------------------------------------- building */

/* `ret` has room for all of them. */
static size_t variables(const struct config *config, const char **ret)
{
    size_t count = 0;

    for (size_t i = 0; i < config->template_count; i++)
        if (config->templates[i].variable)
            ret[count++] = config->templates[i].variable;
    return count;
}

static struct environment *make_environment(const struct config *config)
{
    _cleanup_free_ const char **names = mem_array(config->variable_count, sizeof(*names));

    return environment_new(names, variables(config, names));
}

static struct supervisor_ways ways(const struct config_exec *exec)
{
    return (struct supervisor_ways){
        .stop_signal = exec->stop_signal,
        .on_change = exec->change_signal ? SUPERVISOR_SIGNAL
                     : exec->restart     ? SUPERVISOR_RESTART
                                         : SUPERVISOR_LEAVE,
        .change_signal = exec->change_signal,
        .grace_ms = grace_ms(exec),
    };
}

static int make_supervisor(struct application *application, const struct application_options *options, struct err *err)
{
    const struct supervisor_options supervised = {
        .loop = options->loop,
        .guard = options->guard,
        .environment = application->environment,
        .ways = ways(&options->config->exec),
    };
    const struct supervisor_events events = {
        .ctx = application, .on_started = on_started, .on_changed = on_changed, .on_killed = on_killed, .on_over = on_over};

    return supervisor_new(&supervised, &events, &application->supervisor, err);
}

int application_new(const struct application_options *options, struct application **ret, struct err *err)
{
    struct application *application = mem_alloc(sizeof(*application));

    application->config = options->config;
    application->on_over = options->on_over;
    application->ctx = options->ctx;
    application->environment = make_environment(options->config);
    if (make_supervisor(application, options, err) != 0 ||
        forward_start(options->loop, on_signal, application, &application->forward, err) != 0) {
        application_free(application);
        return -1;
    }
    *ret = application;
    return 0;
}

void application_free(struct application *application)
{
    if (!application)
        return;
    forward_stop(application->forward);
    supervisor_free(application->supervisor);
    environment_free(application->environment);
    mem_free(application);
}

int application_value(struct application *application, const struct config_template *template, const void *value, size_t len,
                      struct err *err)
{
    application->changed = true;
    return environment_set(application->environment, template->variable, value, len, err);
}

void application_written(struct application *application, const struct config_template *template, bool told)
{
    if (!template->variable && !told)
        supervisor_touch(application->supervisor);
}

void application_settle(struct application *application, bool done)
{
    if (!application->changed || !(application->started || done) || !environment_complete(application->environment))
        return;
    application->started = true;
    application->changed = false;
    supervisor_update(application->supervisor);
}

void application_take(struct application *application, const struct config *config)
{
    _cleanup_free_ const char **names = mem_array(config->variable_count, sizeof(*names));
    const struct supervisor_ways others = ways(&config->exec);

    application->config = config;
    environment_rename(application->environment, names, variables(config, names));
    supervisor_adjust(application->supervisor, &others);
    application->changed = true;
}

void application_stop(struct application *application)
{
    supervisor_stop(application->supervisor);
}
