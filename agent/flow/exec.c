#include "flow/exec.h"

#include <signal.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/application.h"
#include "flow/logbook.h"
#include "flow/programs.h"
#include "flow/watched_files.h"
#include "os/file.h"

#define MODULE "agent.exec"

/* What ends us, and what a program gets only if it catches it. */
static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

struct exec {
    struct config config;
    const char **paths; /* of the variables, which are the config's templates */
    bool *known;        /* they have a value */
    bool waited;        /* for a file that was not there */
    struct programs programs;
    struct loop *loop;
    struct watched_files *watched;
    struct application *application;
    struct loop_signal signals[ARRAY_LEN(signals)];
    int code;
    struct err cause; /* ERR_NONE: none */
};

/* ----------------------------------------------------------------------------------------------------------- values */

static int take_value(struct exec *exec, size_t i, struct err *err)
{
    _cleanup_buf_ struct buf value = {0};

    if (file_read(exec->paths[i], LIMIT_VARIABLE_BYTES, &value, err) != 0)
        return err_wrap(err, "variable %s", exec->config.templates[i].variable);
    if (application_value(exec->application, &exec->config.templates[i], value.data, value.len, err) != 0)
        return -1;
    exec->known[i] = true;
    return 0;
}

/* Whoever writes the file has not come to it yet, or writes it again. */
static bool is_to_come(struct exec *exec, size_t i, const struct err *err)
{
    if (err->code != ERR_MISSING)
        return false;
    if (!exec->waited)
        log_info(MODULE, "waiting for a file: variable=%s path=%s", exec->config.templates[i].variable, exec->paths[i]);
    exec->waited = true;
    return true;
}

static void take(struct exec *exec, size_t i)
{
    struct err err;

    if (take_value(exec, i, &err) == 0 || is_to_come(exec, i, &err))
        return;
    if (exec->known[i]) {
        log_warn(MODULE, "the old value stays: error=%s", err.text);
        return;
    }
    exec->cause = err;
    application_stop(exec->application);
}

static void on_change(void *ctx, const char *path)
{
    struct exec *exec = ctx;

    for (size_t i = 0; i < exec->config.template_count; i++) {
        if (strcmp(exec->paths[i], path) == 0)
            take(exec, i);
    }
    application_settle(exec->application, true);
}

static void on_trouble(void *ctx, const char *text)
{
    (void)ctx;
    log_warn(MODULE, "%s", text);
}

/* ------------------------------------------------------------------------------------------------- signals, the end */

static void on_signal(void *ctx, int signo)
{
    struct exec *exec = ctx;

    if (signo == SIGTERM || signo == SIGINT)
        application_stop(exec->application);
    else
        application_signal(exec->application, signo);
}

static void on_over(void *ctx, const struct supervisor_end *end)
{
    struct exec *exec = ctx;

    exec->code = end->code;
    if (end->err.code && !exec->cause.code)
        exec->cause = end->err;
    loop_stop(exec->loop);
}

/* --------------------------------------------------------------------------------------------------------- building */

static int split(struct exec *exec, const char *pair, size_t i, struct err *err)
{
    const char *equals = strchr(pair, '=');
    char *name = arena_strndup(&exec->config.arena, pair, (size_t)(equals - pair), err);

    if (!name)
        return -1;
    exec->config.templates[i].variable = name;
    exec->paths[i] = equals + 1;
    return 0;
}

static int configure(struct exec *exec, const struct exec_options *options, struct err *err)
{
    struct config *config = &exec->config;

    config_init(config);
    config->templates = arena_array(&config->arena, options->count + 1, sizeof(*config->templates), err);
    exec->paths = arena_array(&config->arena, options->count + 1, sizeof(*exec->paths), err);
    exec->known = arena_array(&config->arena, options->count + 1, sizeof(*exec->known), err);
    if (!config->templates || !exec->paths || !exec->known)
        return -1;
    for (size_t i = 0; i < options->count; i++) {
        if (split(exec, options->variables[i], i, err) != 0)
            return -1;
    }
    config->template_count = config->variable_count = options->count;
    config->exec = (struct config_exec){.given = true,
                                        .command = {.argv = options->argv, .argc = 1},
                                        .restart = options->restart,
                                        .stop_signal = SIGTERM,
                                        .grace_ms = options->grace_ms,
                                        .output = "",
                                        .error = ""};
    return 0;
}

static int build(struct exec *exec, struct err *err)
{
    const struct watched_files_events events = {.ctx = exec, .on_change = on_change, .on_trouble = on_trouble};

    exec->loop = loop_new(err);
    if (!exec->loop || watched_files_new(exec->loop, &events, &exec->watched, err) != 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        if (signal_start(&exec->signals[i], exec->loop, signals[i], on_signal, exec, err) != 0)
            return -1;
    }
    return application_new(
        &(struct application_options){
            .loop = exec->loop, .config = &exec->config, .guard = exec->programs.guard, .on_over = on_over, .ctx = exec},
        &exec->application, err);
}

/* Root keeps what it needs for files that another uid alone may read. */
static int restrict_to_files(const struct exec *exec, struct err *err)
{
    _cleanup_reach_ struct reach reach = {0};
    const struct harden_plan plan = {.keep_caps = HARDEN_CAP_DAC_OVERRIDE, .reach = &reach};
    struct gaps gaps = {0};

    for (size_t i = 0; i < exec->config.template_count; i++)
        reach_file(&reach, exec->paths[i], REACH_READ);
    if (harden_restrict(&plan, &gaps, err) != 0)
        return -1;
    logbook_confined(&gaps);
    return 0;
}

/* Watched first: what changes while it is read is read again. */
static void begin(struct exec *exec)
{
    for (size_t i = 0; i < exec->config.template_count; i++)
        watched_files_use(exec->watched, exec->paths[i]);
    watched_files_settle(exec->watched);
    for (size_t i = 0; i < exec->config.template_count && !exec->cause.code; i++)
        take(exec, i);
    if (!exec->cause.code)
        application_settle(exec->application, true);
}

static void done(struct exec *exec)
{
    application_free(exec->application);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        signal_stop(&exec->signals[i]);
    watched_files_free(exec->watched);
    if (exec->loop)
        loop_free(exec->loop);
    programs_stop(&exec->programs);
    config_done(&exec->config);
}

static int run(struct exec *exec, const struct exec_options *options, struct err *err)
{
    const struct programs_options started = {.config = &exec->config, .origin = options->origin};

    if (configure(exec, options, err) != 0 || programs_start(&exec->programs, &started, err) != 0 || build(exec, err) != 0 ||
        restrict_to_files(exec, err) != 0)
        return -1;
    begin(exec);
    return exec->cause.code ? 0 : loop_run(exec->loop, err);
}

int exec_run(const struct exec_options *options, int *ret_code, struct err *err)
{
    struct exec exec = {.cause = {.code = ERR_NONE}};
    int failed = run(&exec, options, err);

    *ret_code = exec.code;
    if (!failed && exec.cause.code) {
        *err = exec.cause;
        failed = -1;
    }
    done(&exec);
    return failed;
}
