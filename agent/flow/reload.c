#include "flow/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/difference.h"
#include "config/server_options.h"
#include "flow/logbook.h"
#include "flow/one_template.h"
#include "os/launcher.h"
#include "os/service.h"
#include "render/render.h"

/* The next configuration, until every stage has it. */
struct attempt {
    struct config config;
    struct difference difference;
    int *numbers;    /* of the commands, one a template, then one a group */
    const char *why; /* no new command can be had; NULL: they can */
};

struct reload {
    struct reload_options options;
    const struct config *config; /* in use */
    struct config *own;          /* the same, unless it is the first */
    struct attempt *next;        /* waits for the launcher; NULL: nothing is under way */
    uint32_t run;                /* the question to the launcher */
    bool again;                  /* it was asked for meanwhile */
    bool repeated;               /* the files changed while both ends read them */
    bool signals;                /* the right to signal others was kept at the start */
};

static void attempt_free(struct attempt *attempt)
{
    if (!attempt)
        return;
    difference_done(&attempt->difference);
    config_done(&attempt->config);
    mem_free(attempt->numbers);
    mem_free(attempt);
}

static void cleanup_attempt(struct attempt **attempt)
{
    attempt_free(*attempt);
}
#define _cleanup_attempt_ _cleanup_(cleanup_attempt)

/* ----------------------------------------------------------------------------------- what was given up at the start */

static bool in_reach(const struct reload *reload, const struct reach *part)
{
    return !reach_is_enforced() || reach_holds(reload->options.reach, part);
}

/* These keys stay as they are in use. */
static int keep(const struct reload *reload, struct attempt *next, unsigned part, const char *key, struct err *err)
{
    difference_forget(&next->difference, part);
    logbook_reload_beyond(key);
    return difference_keep(reload->config, &next->config, part, err);
}

static int check_trust(const struct reload *reload, struct attempt *next, struct err *err)
{
    const struct http_options options = server_options(&next->config.vault);
    _cleanup_reach_ struct reach reach = {0};

    if (!(next->difference.parts & DIFFERENCE_TRUST) || http_check_files(&options, err) == 0)
        return 0;
    http_reach(&options, &reach);
    if (err->code == ERR_DENIED && !in_reach(reload, &reach))
        return keep(reload, next, DIFFERENCE_TRUST, "vault: the TLS files", err);
    return err_wrap(err, "vault");
}

static int check_sinks(const struct reload *reload, struct attempt *next, struct err *err)
{
    const struct config *config = &next->config;
    _cleanup_reach_ struct reach reach = {0};

    if (!(next->difference.parts & DIFFERENCE_SINKS))
        return 0;
    sinks_reach(config->sinks, config->sink_count, &reach);
    if (!in_reach(reload, &reach))
        return keep(reload, next, DIFFERENCE_SINKS, "auto_auth.sink", err);
    return sinks_check(config->sinks, config->sink_count, err);
}

/* -------------------------------------------------------------------------------------------------------- templates */

#define BEYOND "it reads or writes outside of what the agent left to itself at its start (Landlock)"

static const char *obstacle_to_source(const struct reload *reload, const struct config_template *template)
{
    _cleanup_reach_ struct reach reach = {0};

    if (!template->source)
        return NULL;
    reach_file(&reach, template->source, REACH_READ);
    return !in_reach(reload, &reach) && reach_refuses(AT_FDCWD, template->source, R_OK) ? BEYOND : NULL;
}

/* What keeps a template from being as it is wanted now; NULL: nothing. */
static const char *obstacle(const struct reload *reload, const struct config_template *template)
{
    _cleanup_reach_ struct reach reach = {0};

    if (template->variable && !reload->options.application)
        return "exec takes it";
    if (template->notify.signal && geteuid() == 0 && !reload->signals)
        return "the right to signal others was given up at the start";
    if (render_mentions(template, "sockaddr") && !templates_know_interfaces(reload->options.templates))
        return "the addresses of this machine (sockaddr) are read at the start";
    one_template_want(template, &reach);
    return in_reach(reload, &reach) ? NULL : BEYOND;
}

static int refuse(const struct reload *reload, struct attempt *next, size_t index, const char *why, struct err *err)
{
    logbook_reload_template_refused(&next->config, &next->config.templates[index], why);
    return difference_refuse(&next->difference, reload->config, &next->config, index, err);
}

static bool begins_anew(const struct attempt *next, size_t index)
{
    const struct difference_template *differs = &next->difference.templates[index];

    return differs->origin == DIFFERENCE_NONE || differs->edited;
}

typedef const char *judge(const struct reload *reload, const struct config_template *template);

/* One that was left out has given its place to the one behind it. */
static int weed(const struct reload *reload, struct attempt *next, judge *obstacle_of, struct err *err)
{
    const struct config *config = &next->config;

    for (size_t i = 0; i < config->template_count;) {
        const char *why = begins_anew(next, i) ? obstacle_of(reload, &config->templates[i]) : NULL;
        size_t count = config->template_count;

        if (why && refuse(reload, next, i, why, err) != 0)
            return -1;
        i += config->template_count == count;
    }
    return 0;
}

/* A source that is not there is an error, and one that cannot be read any more an obstacle; what it says tells the rest. */
static int check_templates(const struct reload *reload, struct attempt *next, struct err *err)
{
    if (weed(reload, next, obstacle_to_source, err) != 0 ||
        templates_check(reload->options.templates, &next->config, &next->difference, err) != 0)
        return -1;
    return weed(reload, next, obstacle, err);
}

/* --------------------------------------------------------------------------------------------------------- commands */

/* The command that it had before, if it had this one. */
static bool has_it_already(const struct reload *reload, const struct attempt *next, size_t index)
{
    const struct config_command *command = &next->config.templates[index].command;
    size_t origin = next->difference.templates[index].origin;

    return !command->argc ||
           (origin != DIFFERENCE_NONE && difference_same_command(&reload->config->templates[origin].command, command));
}

/* Nothing is learned: templates with another command stay as they are. */
static int keep_commands(const struct reload *reload, struct attempt *next, const char *why, struct err *err)
{
    const struct config *config = &next->config;

    programs_unlearn(reload->options.programs);
    for (size_t i = 0; i < config->template_count;) {
        size_t count = config->template_count;

        if (!has_it_already(reload, next, i) && refuse(reload, next, i, why, err) != 0)
            return -1;
        i += config->template_count == count;
    }
    return programs_add(reload->options.programs, config, next->numbers, err);
}

/* ------------------------------------------------------------------------------------------------------ taking over */

static void take_stages(const struct reload *reload, struct attempt *next)
{
    const struct reload_options *o = &reload->options;
    const struct config *config = reload->config;
    const struct http_options http = server_options(&config->vault);

    if (next->difference.parts & DIFFERENCE_TRUST) {
        client_trust(o->client, &http);
        connect_trust_login(o->way_in, &config->vault);
    }
    client_limit_connections(o->client, server_connections(&config->render));
    if (o->application && config->exec.given)
        application_take(o->application, config);
    templates_take(o->templates, config, &next->difference, next->numbers);
    programs_take(o->programs, steal(next->numbers));
    sinks_take(o->sinks, config->sinks, config->sink_count, auth_token(o->auth));
}

static void take(struct reload *reload, struct attempt *next)
{
    struct config *before = reload->own;

    reload->own = mem_alloc(sizeof(*reload->own));
    *reload->own = next->config;
    next->config = (struct config){.file_count = 0};
    reload->config = reload->own;
    take_stages(reload, next);
    logbook_reloaded(&next->difference);
    reload->options.on_taken(reload->options.ctx, reload->config, next->difference.parts);
    if (before)
        config_done(before);
    mem_free(before);
    attempt_free(next);
}

static void over(struct reload *reload)
{
    bool again = reload->again;

    reload->again = false;
    if (again)
        reload_begin(reload);
    else
        service_ready();
}

static void give_up(const struct reload *reload, const struct err *err)
{
    programs_unlearn(reload->options.programs);
    logbook_reload_failed(err);
}

/* --------------------------------------------------------------------------------------- the launcher reads it, too */

static void on_learned(void *ctx, const struct launch_exit *exit)
{
    struct reload *reload = ctx;
    struct attempt *next = steal(reload->next);
    struct err err;

    if (exit->start_errno == ESTALE && !reload->repeated) {
        reload->again = reload->repeated = true;
        programs_unlearn(reload->options.programs);
        attempt_free(next);
    } else if (exit->start_errno == 0 && exit->code == 0) {
        take(reload, next);
    } else if (keep_commands(reload, next, "its command takes it: the launcher of commands found it nowhere", &err) == 0) {
        take(reload, next);
    } else {
        give_up(reload, &err);
        attempt_free(next);
    }
    reload->repeated &= reload->again;
    over(reload);
}

/* What keeps new commands from being learned; NULL: nothing. */
static const char *forbidden(const struct reload *reload)
{
    struct launcher *launcher = reload->options.programs->launcher;

    if (!launcher)
        return "its command takes it: none was there at the start";
    return launcher_open(launcher) ? NULL : "its command takes it: this agent can write to the configuration itself";
}

/* As the launcher will: all that the files name, before anything is left out. */
static void name_commands(const struct reload *reload, struct attempt *next)
{
    struct err ignored;

    next->why = forbidden(reload);
    if (!next->why && programs_add(reload->options.programs, &next->config, NULL, &ignored) != 0)
        next->why = "its command takes it: there were too many different ones";
}

/* 1: wait for on_learned(). */
static int find_commands(struct reload *reload, struct attempt *next, struct err *err)
{
    struct programs *programs = reload->options.programs;

    if (next->why)
        return keep_commands(reload, next, next->why, err);
    if (programs_add(programs, &next->config, next->numbers, err) != 0)
        return -1;
    if (launcher_learned(programs->launcher))
        return 0;
    return launcher_learn(programs->launcher, on_learned, reload, &reload->run, err) != 0 ? -1 : 1;
}

/* -------------------------------------------------------------------------------------------------------- the whole */

static int load(const struct reload *reload, struct attempt *next)
{
    _cleanup_problems_ struct problems problems;
    int failed;

    problems_init(&problems);
    failed = reload->options.load(reload->options.load_ctx, &next->config, &problems);
    logbook_reload_problems(&problems, failed);
    return failed;
}

/* All that may fail, but for the launcher. */
static int check(struct reload *reload, struct attempt *next, struct err *err)
{
    difference_find(reload->config, &next->config, &next->difference);
    if (difference_keep(reload->config, &next->config, DIFFERENCE_RESTART, err) != 0)
        return -1;
    next->numbers = mem_array(next->config.template_count + next->config.group_count, sizeof(*next->numbers));
    if (check_trust(reload, next, err) != 0 || check_sinks(reload, next, err) != 0 || check_templates(reload, next, err) != 0)
        return -1;
    if (next->difference.restart.count)
        logbook_reload_takes_restart(&next->difference.restart);
    return 0;
}

static void try(struct reload *reload)
{
    _cleanup_attempt_ struct attempt *next = mem_alloc(sizeof(*next));
    struct err err;
    int waits;

    if (load(reload, next) != 0)
        return;
    name_commands(reload, next);
    if (check(reload, next, &err) != 0 || (waits = find_commands(reload, next, &err)) < 0) {
        give_up(reload, &err);
        return;
    }
    if (waits)
        reload->next = steal(next);
    else
        take(reload, steal(next));
}

void reload_begin(struct reload *reload)
{
    if (reload->next) {
        reload->again = true;
        return;
    }
    service_reloading();
    try(reload);
    if (!reload->next)
        service_ready();
}

struct reload *reload_new(const struct reload_options *options, const struct config *config)
{
    struct reload *reload = mem_alloc(sizeof(*reload));

    reload->options = *options;
    reload->config = config;
    reload->signals = templates_signals(options->templates);
    return reload;
}

void reload_free(struct reload *reload)
{
    if (!reload)
        return;
    if (reload->next)
        launch_forget(reload->options.programs->launcher, reload->run);
    attempt_free(reload->next);
    if (reload->own)
        config_done(reload->own);
    mem_free(reload->own);
    mem_free(reload);
}
