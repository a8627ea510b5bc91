#include "flow/sidecar.h"

#include <signal.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "config/server_options.h"
#include "fetch/fetch.h"
#include "fetch/handover.h"
#include "fetch/store.h"
#include "flow/application.h"
#include "flow/auth.h"
#include "flow/confine.h"
#include "flow/connect.h"
#include "flow/farewell.h"
#include "flow/front.h"
#include "flow/logbook.h"
#include "flow/notify.h"
#include "flow/progress.h"
#include "flow/reload.h"
#include "flow/sink.h"
#include "flow/status.h"
#include "flow/templates.h"
#include "flow/watched_files.h"
#include "os/beacon.h"
#include "os/loop.h"
#include "os/service.h"
#include "super/reaper.h"
#include "vault/client.h"

#define EXIT_SETTING "template_config.exit_on_retry_failure"

static const int end_signals[] = {SIGTERM, SIGINT};

struct sidecar {
    const struct config *config;
    struct sidecar_options options;
    struct loop *loop;
    struct client *client;
    struct auth *auth;
    struct sinks *sinks;
    struct store *store;
    struct fetch *fetch;
    struct templates *templates;
    struct notify *notify;
    struct watched_files *watched;
    struct application *application;  /* NULL: nothing is supervised */
    const struct notify_rule **rules; /* scratch of one walk */
    struct loop_timer walk;           /* the next one over the templates */
    struct loop_timer look;           /* whether somebody else changed our files */
    struct loop_timer deadline;       /* ampule.init_deadline */
    struct loop_signal ends[ARRAY_LEN(end_signals)], hangup, inquiry;
    struct reaper reaper;
    struct progress progress;
    struct connect way, way_in; /* to the server, and of logins with a certificate of their own */
    struct beacon beacon;
    struct reload *reload;
    struct reach reach; /* what is left to it, once it is confined */
    int code;           /* with which the agent ends */
    bool failed;        /* `cause` ends the program */
    struct err cause;
    struct farewell farewell;
    struct front front;
};

/* ---------------------------------------------------------------------------------------------- what events lead to */

/* A supervised program goes first. */
static void end(struct sidecar *car)
{
    service_stopping();
    if (car->application)
        application_stop(car->application);
    else
        farewell_begin(&car->farewell);
}

static void fail(struct sidecar *car, const struct err *cause)
{
    if (car->failed)
        return;
    car->failed = true;
    car->cause = *cause;
    end(car);
}

/* Where the originals' runner ends. */
static void end_by_setting(struct sidecar *car, const struct err *err, const char *setting)
{
    struct err cause = *err;

    err_wrap(&cause, "ending, as %s asks for", setting);
    fail(car, &cause);
}

/* exit_after_auth: every file is on disk, every sink written, every application told. */
static void end_if_done(struct sidecar *car)
{
    bool done = progress_done(&car->progress);

    if (car->application)
        application_settle(car->application, done);
    if (!done || !car->config->exit_after_auth)
        return;
    logbook_all_done();
    handover_bequeath(car->config, auth_token(car->auth), car->store);
    loop_stop(car->loop);
}

static void plan_walk(struct sidecar *car)
{
    timer_at(&car->walk, templates_due(car->templates));
}

/* --------------------------------------------------------------------------------------------------- auth and sinks */

static void on_token(void *ctx, const struct token *token)
{
    struct sidecar *car = ctx;

    logbook_token(&car->config->method, token);
    progress_token(&car->progress);
    sinks_put(car->sinks, token);
    front_renew(&car->front);
    if (*token->value)
        fetch_token(car->fetch, token);
}

static void on_auth_failure(void *ctx, const struct err *err, int64_t again_ms)
{
    struct sidecar *car = ctx;

    progress_login_failed(&car->progress, err);
    if (again_ms == AUTH_NOT_AGAIN)
        end_by_setting(car, err, "auto_auth.method.exit_on_err");
    else
        logbook_login_failed(err, again_ms);
}

/* What failed for want of a server need not wait for its time. */
static void on_up(void *ctx)
{
    fetch_up(((struct sidecar *)ctx)->fetch);
}

static int new_client(struct sidecar *car, struct err *err)
{
    car->way = (struct connect){.on_up = on_up, .ctx = car, .max_connections = server_connections(&car->config->render)};
    if (car->config->vault.tls_skip_verify)
        logbook_no_verify();
    return connect_server(car->loop, &car->config->vault, &car->way, &car->client, err);
}

static int open_door(void *ctx, const struct login_identity *identity, struct client **ret, struct err *err)
{
    struct sidecar *car = ctx;

    car->way_in.on_up = on_up;
    car->way_in.ctx = car;
    return connect_login(car->loop, &car->config->vault, identity, &car->way_in, ret, err);
}

static int new_auth(struct sidecar *car, struct err *err)
{
    const struct programs *programs = car->options.programs;
    const struct auth_events events = {
        .ctx = car,
        .on_token = on_token,
        .on_failure = on_auth_failure,
        .on_warning = logbook_auth_warning,
        .on_renewed = logbook_token_renewed,
        .open_door = open_door,
    };

    if (auth_new(car->loop, car->client, &car->config->method, &events, &car->auth, err) != 0)
        return -1;
    if (programs->helper != PROGRAM_NONE)
        auth_help(car->auth, programs->launcher, (unsigned)programs->helper);
    if (car->config->reauth_on_new_credentials)
        auth_watch(car->auth);
    return 0;
}

static void on_sinks_written(void *ctx)
{
    struct sidecar *car = ctx;

    car->progress.sunk = true;
    logbook_sinks_written(car->config->sink_count);
    end_if_done(car);
}

static int new_sinks(struct sidecar *car, struct err *err)
{
    const struct sink_events events = {.ctx = car, .on_written = on_sinks_written, .on_error = logbook_sink_failed};

    car->sinks = sinks_new(car->loop, car->client, car->config->sinks, car->config->sink_count, &events);
    return sinks_check(car->config->sinks, car->config->sink_count, err);
}

/* ------------------------------------------------------------------------------------------------------------ fetch */

static void on_secret_change(void *ctx, const struct dep *dep)
{
    struct sidecar *car = ctx;

    logbook_received(dep);
    progress_fetched(&car->progress);
    templates_dep_changed(car->templates, dep);
    plan_walk(car);
}

static void on_secret_error(void *ctx, const struct fetch_failure *failure)
{
    struct sidecar *car = ctx;
    struct err cause = *failure->err;

    err_wrap(&cause, "%s", failure->dep->key);
    progress_fetch_failed(&car->progress, &cause);
    templates_dep_failed(car->templates, failure->dep);
    plan_walk(car);
    if (failure->exhausted && car->config->render.exit_on_retry_failure)
        end_by_setting(car, &cause, EXIT_SETTING);
    else
        logbook_fetch_failed(&cause, failure);
}

static void on_secret_suspect(void *ctx, bool worked)
{
    auth_suspect(((struct sidecar *)ctx)->auth, worked);
}

static void new_fetch(struct sidecar *car)
{
    const struct fetch_options options = fetch_options_of(car->config);
    const struct fetch_events events = {
        .ctx = car,
        .on_change = on_secret_change,
        .on_error = on_secret_error,
        .on_recovery = logbook_recovered,
        .on_suspect = on_secret_suspect,
        .on_warning = logbook_template_warning,
        .on_renewed = logbook_lease_renewed,
    };

    car->store = store_new();
    car->fetch = fetch_new(car->loop, car->client, car->store, &options, &events);
}

/* -------------------------------------------------------------------------------------------------------- templates */

static void on_walk(void *ctx)
{
    struct sidecar *car = ctx;
    struct err err;
    size_t count;

    if (templates_render(car->templates)) {
        templates_report(car->templates);
        watched_files_settle(car->watched);
        fetch_settle(car->fetch);
    }
    count = templates_write(car->templates, car->rules);
    if (count && notify_batch(car->notify, car->rules, count, &err) != 0)
        logbook_not_notified(&err);
    plan_walk(car);
    end_if_done(car);
}

/* The originals write again whenever they read again; we look at the files as often, and write what is not as we left it. */
static void on_look(void *ctx)
{
    struct sidecar *car = ctx;
    const struct token *token = auth_token(car->auth);

    templates_look(car->templates);
    plan_walk(car);
    if (token && car->progress.sunk && sinks_touched(car->sinks))
        sinks_put(car->sinks, token);
    timer_after(&car->look, car->config->render.static_secret_render_interval_ms);
}

static void on_template_written(void *ctx, const char *label, const struct config_template *template, bool told)
{
    struct sidecar *car = ctx;

    logbook_rendered(NULL, label, template);
    if (car->application)
        application_written(car->application, template, told);
}

static int on_template_value(void *ctx, const struct config_template *template, const void *value, size_t len, struct err *err)
{
    return application_value(((struct sidecar *)ctx)->application, template, value, len, err);
}

static int on_template_dep(void *ctx, struct dep *dep, struct err *err)
{
    return fetch_want(((struct sidecar *)ctx)->fetch, dep, err);
}

static void on_template_dep_unused(void *ctx, const struct dep *dep)
{
    fetch_release(((struct sidecar *)ctx)->fetch, dep);
}

static void on_template_file(void *ctx, const char *path)
{
    watched_files_use(((struct sidecar *)ctx)->watched, path);
}

static void on_template_file_unused(void *ctx, const char *path)
{
    watched_files_release(((struct sidecar *)ctx)->watched, path);
}

static void on_plugin_end(void *ctx)
{
    struct sidecar *car = ctx;

    templates_plugin_ended(car->templates);
    plan_walk(car);
}

static void on_template_plugins(void *ctx, struct plugin_list *plugins)
{
    struct sidecar *car = ctx;

    plugin_start(plugins, car->loop, car->options.programs->launcher, on_plugin_end, car);
}

static void on_template_error(void *ctx, const struct err *err, int64_t again_ms, bool fatal)
{
    struct sidecar *car = ctx;

    if (fatal && car->config->render.exit_on_retry_failure)
        end_by_setting(car, err, EXIT_SETTING);
    else
        logbook_template_failed(err, again_ms);
}

static void new_templates(struct sidecar *car)
{
    const struct templates_events events = {
        .ctx = car,
        .on_error = on_template_error,
        .on_written = on_template_written,
        .on_value = on_template_value,
        .on_dep = on_template_dep,
        .on_dep_unused = on_template_dep_unused,
        .on_file = on_template_file,
        .on_file_unused = on_template_file_unused,
        .on_plugins = on_template_plugins,
    };

    car->templates = templates_new(car->config, car->options.programs, car->store, &events);
}

static void on_file_change(void *ctx, const char *path)
{
    struct sidecar *car = ctx;

    logbook_file_changed(path);
    templates_file_changed(car->templates, path);
    plan_walk(car);
}

static int new_watched(struct sidecar *car, struct err *err)
{
    const struct watched_files_events events = {.ctx = car, .on_change = on_file_change, .on_trouble = logbook_template_warning};

    return watched_files_new(car->loop, &events, &car->watched, err);
}

/* ----------------------------------------------------------------------------------------------------------- notify */

/* Where strictness was asked for twice. */
static bool notify_fatal(const struct sidecar *car, const struct notify_rule *rule)
{
    const struct config *config = car->config;

    return config->strict_commands && config->exit_after_auth && config->render.exit_on_retry_failure &&
           rule->program != NOTIFY_SIGNAL;
}

static void on_notify_result(void *ctx, const struct notify_rule *rule, const struct notify_result *result)
{
    struct sidecar *car = ctx;
    struct err cause;

    progress_notified(&car->progress, rule, result);
    if (!result->err || !notify_fatal(car, rule)) {
        logbook_notified(rule, result);
        return;
    }
    cause = *result->err;
    err_wrap(&cause, "%s", rule->label);
    fail(car, &cause);
}

static void on_notify_idle(void *ctx)
{
    end_if_done(ctx);
}

static void new_notify(struct sidecar *car)
{
    const struct notify_options options = {
        .loop = car->loop,
        .launcher = car->options.programs->launcher,
        .insist = car->config->strict_commands,
        .on_result = on_notify_result,
        .on_idle = on_notify_idle,
        .ctx = car,
    };

    car->notify = notify_new(&options);
    car->rules = mem_array(car->config->template_count * 2 + car->config->group_count, sizeof(struct notify_rule *));
}

/* ------------------------------------------------------------------------------------------------------ application */

/* By itself: what it ended with is what we end with. */
static void on_application_over(void *ctx, const struct supervisor_end *how)
{
    struct sidecar *car = ctx;

    car->code = how->asked ? 0 : how->code;
    if (how->err.code && !car->failed) {
        car->failed = true;
        car->cause = how->err;
    }
    farewell_begin(&car->farewell);
}

static int new_application(struct sidecar *car, struct err *err)
{
    const struct application_options options = {.loop = car->loop,
                                                .config = car->config,
                                                .guard = car->options.programs->guard,
                                                .on_over = on_application_over,
                                                .ctx = car};

    return options.guard ? application_new(&options, &car->application, err) : 0;
}

/* ----------------------------------------------------------------------------------------------------- from outside */

/* What a probe is told. */
static size_t on_ask(void *ctx, void *answer)
{
    struct health health;

    progress_health(&((struct sidecar *)ctx)->progress, &health);
    memcpy(answer, &health, sizeof(health));
    return sizeof(health);
}

/* A job that was asked to end before its work is done has not done it: whoever waits for it must not go on. */
static void on_end_signal(void *ctx, int signo)
{
    struct sidecar *car = ctx;
    struct err cause;

    if (car->farewell.begun)
        return;
    if (car->config->exit_after_auth) {
        progress_behind(&car->progress, &cause);
        err_wrap(&cause, "%s before everything was on disk", strsignal(signo));
        fail(car, &cause);
        return;
    }
    logbook_ending(signo);
    end(car);
}

static void on_deadline(void *ctx)
{
    struct sidecar *car = ctx;
    struct err cause;

    progress_behind(&car->progress, &cause);
    err_wrap(&cause, "init_deadline of %lld s reached", (long long)(car->config->init_deadline_ms / 1000));
    fail(car, &cause);
}

/* SIGHUP: somebody has mended something and does not want to wait, or wants something else. */
static void on_hangup(void *ctx, int signo)
{
    struct sidecar *car = ctx;

    logbook_hangup();
    auth_hurry(car->auth);
    fetch_hurry(car->fetch);
    templates_hurry(car->templates);
    plan_walk(car);
    reload_begin(car->reload);
    if (car->application)
        application_signal(car->application, signo);
}

static void forget_rules(struct sidecar *car)
{
    size_t count;

    mem_free(car->rules);
    car->rules = mem_array(car->config->template_count * 2 + car->config->group_count, sizeof(*car->rules));
    count = templates_rules(car->templates, car->rules);
    notify_retain(car->notify, car->rules, count);
    if (!notify_failing(car->notify))
        trouble_end(&car->progress.telling);
}

static void on_reloaded(void *ctx, const struct config *config, unsigned parts)
{
    struct sidecar *car = ctx;
    const struct fetch_options options = fetch_options_of(config);

    car->config = car->farewell.config = config;
    front_take(&car->front, config);
    car->progress.sunk &= !sinks_pending(car->sinks);
    forget_rules(car);
    if (parts & DIFFERENCE_LOG)
        log_setup(config->log_level, config->log_json);
    if (parts & DIFFERENCE_FETCH) {
        fetch_tune(car->fetch, &options);
        timer_after(&car->look, config->render.static_secret_render_interval_ms);
    }
    timer_after(&car->walk, 0);
}

static void new_reload(struct sidecar *car)
{
    const struct reload_options options = {
        car->client,      &car->way_in,          car->auth,   car->sinks,        car->fetch,       car->templates, car->notify,
        car->application, car->options.programs, &car->reach, car->options.load, car->options.ctx, on_reloaded,    car};

    car->reload = reload_new(&options, car->config);
}

/* SIGUSR1. */
static void on_inquiry(void *ctx, int signo)
{
    struct sidecar *car = ctx;
    const struct status status = {&car->progress, car->client, car->application};
    _cleanup_buf_ struct buf lines;

    buf_init_clipped(&lines, LIMIT_PROBLEMS_BYTES);
    status_write(&status, &lines);
    logbook_status(lines.data);
    if (car->application)
        application_signal(car->application, signo);
}

static int start_signals(struct sidecar *car, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(end_signals); i++) {
        if (signal_start(&car->ends[i], car->loop, end_signals[i], on_end_signal, car, err) != 0)
            return -1;
    }
    if (signal_start(&car->inquiry, car->loop, SIGUSR1, on_inquiry, car, err) != 0)
        return -1;
    return signal_start(&car->hangup, car->loop, SIGHUP, on_hangup, car, err);
}

/* Somebody has seen to it that everything is done. */
static void on_quit(void *ctx)
{
    logbook_asked_to_quit();
    end(ctx);
}

static int new_front(struct sidecar *car, struct err *err)
{
    car->front = (struct front){car->auth, &car->progress, on_quit, car, NULL};
    return front_open(&car->front, car->loop, car->config, err);
}

/* What an init agent left. Without it a login does the same, later. */
static void inherit(struct sidecar *car)
{
    struct handover *handover = handover_inherit(car->config);

    if (!handover)
        return;
    auth_offer(car->auth, handover_claim_token(handover));
    fetch_offer(car->fetch, handover);
}

/* -------------------------------------------------------------------------------------------------------- the whole */

static int build(struct sidecar *car, struct err *err)
{
    struct launcher *launcher = car->options.programs->launcher;
    struct err unheard;

    car->loop = loop_new(err);
    if (!car->loop || start_signals(car, err) != 0 || reaper_start_as_first(&car->reaper, car->loop, err) != 0)
        return -1;
    if (launcher && launcher_attach(launcher, car->loop, err) != 0)
        return -1;
    timer_init(&car->walk, car->loop, on_walk, car);
    timer_init(&car->look, car->loop, on_look, car);
    timer_init(&car->deadline, car->loop, on_deadline, car);
    if (new_watched(car, err) != 0 || new_client(car, err) != 0 || new_auth(car, err) != 0 || new_sinks(car, err) != 0 ||
        new_application(car, err) != 0)
        return -1;
    new_fetch(car);
    new_templates(car);
    new_notify(car);
    new_reload(car);
    inherit(car);
    if (new_front(car, err) != 0)
        return -1;
    car->farewell = (struct farewell){car->loop, car->auth, car->fetch, car->front.local, car->config, false};
    car->progress = (struct progress){
        .auth = car->auth, .fetch = car->fetch, .templates = car->templates, .notify = car->notify, .trust = &car->way.trust};
    if (beacon_open(&car->beacon, car->loop, on_ask, car, &unheard) != 0)
        logbook_no_beacon(&unheard);
    return 0;
}

int sidecar_new(const struct sidecar_options *options, struct sidecar **ret, struct err *err)
{
    struct sidecar *car = mem_alloc(sizeof(*car));

    car->options = *options;
    car->config = options->config;
    if (build(car, err) != 0) {
        sidecar_free(car);
        return -1;
    }
    *ret = car;
    return 0;
}

void sidecar_free(struct sidecar *car)
{
    if (!car)
        return;
    timer_stop(&car->walk);
    timer_stop(&car->look);
    timer_stop(&car->deadline);
    front_close(&car->front);
    application_free(car->application);
    notify_free(car->notify);
    templates_free(car->templates);
    fetch_free(car->fetch);
    auth_free(car->auth);
    sinks_free(car->sinks);
    store_free(car->store);
    client_free(car->client);
    watched_files_free(car->watched);
    reload_free(car->reload);
    reach_done(&car->reach);
    mem_free(car->rules);
    for (size_t i = 0; i < ARRAY_LEN(end_signals); i++)
        signal_stop(&car->ends[i]);
    signal_stop(&car->hangup);
    signal_stop(&car->inquiry);
    reaper_stop(&car->reaper);
    beacon_close(&car->beacon);
    loop_free(car->loop);
    mem_free(car);
}

int sidecar_confine(struct sidecar *car, struct err *err)
{
    const struct confine_stages stages = {car->config,    car->client, car->auth,
                                          car->templates, &car->front, car->options.programs->launcher};
    struct gaps gaps = {0};

    if (confine(&stages, &car->reach, &gaps, err) != 0)
        return -1;
    logbook_confined(&gaps);
    return 0;
}

int sidecar_run(struct sidecar *car, int *ret_code, struct err *err)
{
    if (car->config->init_deadline_ms && car->config->exit_after_auth)
        timer_after(&car->deadline, car->config->init_deadline_ms);
    auth_start(car->auth);
    plan_walk(car);
    timer_after(&car->look, car->config->render.static_secret_render_interval_ms);
    service_ready();
    if (loop_run(car->loop, err) != 0)
        return -1;
    *ret_code = car->code;
    if (!car->failed)
        return 0;
    *err = car->cause;
    return -1;
}
