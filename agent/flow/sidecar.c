#include "flow/sidecar.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/auth.h"
#include "flow/confine.h"
#include "flow/connect.h"
#include "flow/fetch.h"
#include "flow/handover.h"
#include "flow/health.h"
#include "flow/notify.h"
#include "flow/pass.h"
#include "flow/sink.h"
#include "flow/store.h"
#include "flow/watched.h"
#include "os/beacon.h"
#include "os/loop.h"
#include "vault/client.h"

#define MODULE       "agent"
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
    struct pass *pass;
    struct notify *notify;
    struct watched *watched;
    const struct notify_rule **rules; /* scratch of one walk */
    struct loop_timer walk;     /* the next pass over the templates */
    struct loop_timer look;     /* whether somebody else changed our files */
    struct loop_timer deadline; /* ampule.init_deadline */
    struct loop_signal ends[ARRAY_LEN(end_signals)], hangup;
    bool sunk;    /* every sink holds the newest token */
    bool failed;  /* `cause` ends the program */
    bool complete; /* everything was done once */
    struct err cause, last_fetch;
    struct trouble login, telling;
    struct connect way;
    struct beacon beacon;
};

/* -------------------------------------------------------------------------------------------------------------- ending */

static void fail(struct sidecar *car, const struct err *cause)
{
    if (car->failed)
        return;
    car->failed = true;
    car->cause = *cause;
    loop_stop(car->loop);
}

/* What init mode waits for, in the words of the stage that is behind. */
static void describe_wait(const struct sidecar *car, struct err *ret)
{
    const struct err *why = NULL;
    const char *label = pass_waiting(car->pass, &why);

    if (!auth_token(car->auth))
        err_set(ret, ERR_RETRY, "no login yet%s%s", car->login.err.code ? ": " : "", car->login.err.text);
    else if (label && why->code)
        *ret = *why;
    else if (label)
        err_set(ret, ERR_RETRY, "%s waits for its secrets%s%s", label, car->last_fetch.code ? ": " : "", car->last_fetch.text);
    else if (!car->sunk)
        err_set(ret, ERR_RETRY, "a sink has not been written");
    else if (notify_busy(car->notify))
        err_set(ret, ERR_RETRY, "a command is still running");
    else
        err_set(ret, ERR_RETRY, "a command has not succeeded%s%s", car->telling.err.code ? ": " : "", car->telling.err.text);
}

static void note_troubles(const struct sidecar *car, struct health *health)
{
    health_note_trouble(health, &car->login);
    /* Without a token everything else fails too: what counts is why there is none. */
    if (car->login.err.code && !health->token)
        return;
    health_note_trouble(health, &car->way.trust);
    health_note_trouble(health, &car->telling);
    fetch_health(car->fetch, health);
    pass_health(car->pass, health);
}

/* What a probe is told. */
static size_t on_ask(void *ctx, void *answer)
{
    struct sidecar *car = ctx;
    struct health health;
    struct err behind;

    health_init(&health);
    health.token = auth_token(car->auth) != NULL;
    health.rendered = car->complete;
    if (!car->complete) {
        describe_wait(car, &behind);
        memcpy(health.behind, behind.text, sizeof(health.behind));
    }
    note_troubles(car, &health);
    memcpy(answer, &health, sizeof(health));
    return sizeof(health);
}

static bool all_done(const struct sidecar *car)
{
    return car->sunk && pass_complete(car->pass) && !notify_busy(car->notify) && !notify_failing(car->notify);
}

/* A job that was asked to end before its work is done has not done it: whoever waits for it must not go on. */
static void on_end_signal(void *ctx, int signo)
{
    struct sidecar *car = ctx;
    struct err cause;

    if (car->config->exit_after_auth) {
        describe_wait(car, &cause);
        err_wrap(&cause, "%s before everything was on disk", strsignal(signo));
        fail(car, &cause);
        return;
    }
    log_info(MODULE, "%s: shutting down; rendered files stay", strsignal(signo));
    loop_stop(car->loop);
}

static void on_deadline(void *ctx)
{
    struct sidecar *car = ctx;
    struct err cause;

    describe_wait(car, &cause);
    err_wrap(&cause, "init_deadline of %lld s reached", (long long)(car->config->init_deadline_ms / 1000));
    fail(car, &cause);
}

/* exit_after_auth: every file is on disk, every sink written, every application told. */
static void end_if_done(struct sidecar *car)
{
    car->complete |= all_done(car);
    if (!car->config->exit_after_auth || !all_done(car))
        return;
    log_info(MODULE, "exit_after_auth: everything is on disk");
    handover_bequeath(car->config, auth_token(car->auth), car->store);
    loop_stop(car->loop);
}

/* ------------------------------------------------------------------------------------------------------------ templates */

static void plan_walk(struct sidecar *car)
{
    timer_at(&car->walk, pass_due(car->pass));
}

static void on_walk(void *ctx)
{
    struct sidecar *car = ctx;
    struct err err;
    size_t count;

    if (pass_render(car->pass)) {
        fetch_begin(car->fetch);
        watched_begin(car->watched);
        pass_report(car->pass);
        watched_end(car->watched);
        fetch_end(car->fetch);
    }
    count = pass_write(car->pass, car->rules);
    if (count && notify_batch(car->notify, car->rules, count, &err) != 0)
        log_error("agent.template.server", "%s", err.text);
    plan_walk(car);
    end_if_done(car);
}

/* The originals write again whenever they read again; we look at the files as often, and write what is not as we left it. */
static void on_look(void *ctx)
{
    struct sidecar *car = ctx;
    const struct token *token = auth_token(car->auth);

    pass_look(car->pass);
    plan_walk(car);
    if (token && car->sunk && sinks_touched(car->sinks))
        sinks_put(car->sinks, token);
    timer_after(&car->look, car->config->render.static_secret_render_interval_ms);
}

static int on_template_dep(void *ctx, struct dep *dep, struct err *err)
{
    return fetch_want(((struct sidecar *)ctx)->fetch, dep, err);
}

static void on_file_change(void *ctx, const char *path)
{
    struct sidecar *car = ctx;

    log_debug("agent.template.server", "file changed: path=%s", path);
    pass_file_changed(car->pass, path);
    plan_walk(car);
}

static void on_template_file(void *ctx, const char *path)
{
    watched_use(((struct sidecar *)ctx)->watched, path);
}

static void on_template_warning(void *ctx, const char *text)
{
    (void)ctx;
    log_warn("agent.template.server", "%s", text);
}

static void on_plugin_end(void *ctx)
{
    struct sidecar *car = ctx;

    pass_plugin_ended(car->pass);
    plan_walk(car);
}

static void on_template_plugins(void *ctx, struct plugin_list *plugins)
{
    struct sidecar *car = ctx;

    plugin_start(plugins, car->loop, car->options.programs->launcher, on_plugin_end, car);
}

/* Where the originals' runner ends. */
static void end_by_setting(struct sidecar *car, const struct err *err, const char *setting)
{
    struct err cause = *err;

    err_wrap(&cause, "ending, as %s asks for", setting);
    fail(car, &cause);
}

static void on_template_error(void *ctx, const struct err *err, int64_t again_ms, bool fatal)
{
    struct sidecar *car = ctx;

    if (fatal && car->config->render.exit_on_retry_failure)
        end_by_setting(car, err, EXIT_SETTING);
    else
        log_error("agent.template.server", "%s: again_in=%llds", err->text, clock_seconds_up(again_ms));
}

static void on_template_written(void *ctx, const char *label, const struct config_template *template)
{
    (void)ctx;
    log_info("agent.template.server", "rendered: %s destination=%s", label, template->destination);
}

/* ---------------------------------------------------------------------------------------------------------------- notify */

/* Where strictness was asked for twice. */
static bool notify_fatal(const struct sidecar *car, const struct notify_rule *rule)
{
    const struct config *config = car->config;

    return config->strict_commands && config->exit_after_auth && config->render.exit_on_retry_failure &&
           rule->program != NOTIFY_SIGNAL;
}

static void note_result(struct sidecar *car, const struct notify_rule *rule, const struct notify_result *result)
{
    struct err cause;

    if (!result->err && !notify_failing(car->notify)) {
        trouble_end(&car->telling);
    } else if (result->err && result->again_ms != NOTIFY_NOT_AGAIN) {
        cause = *result->err;
        err_wrap(&cause, "%s", rule->label);
        trouble_begin(&car->telling, &cause);
    }
}

static void log_told(const struct notify_rule *rule, const struct notify_result *result)
{
    const struct proc_told *told = &result->told;

    if (rule->program != NOTIFY_SIGNAL)
        log_info("agent.notify", "%s: command %s", rule->label, rule->timeout_ms ? "succeeded" : "started");
    else if (told->left_out == 0)
        log_info("agent.notify", "%s: application signalled: processes=%u", rule->label, told->reached);
    else
        log_info("agent.notify", "%s: application signalled: processes=%u; of its name, but not ours to signal: %u", rule->label,
                 told->reached, told->left_out);
}

static void log_not_told(const struct notify_rule *rule, const struct notify_result *result)
{
    bool signal = rule->program == NOTIFY_SIGNAL;
    const struct err *err = result->err;

    if (result->again_ms != NOTIFY_NOT_AGAIN)
        log_warn("agent.notify", "%s: %s: attempt=%u again_in=%llds", rule->label, err->text, result->attempt,
                 clock_seconds_up(result->again_ms));
    else if (signal && err->code == ERR_MISSING)
        log_info("agent.notify", "%s: nobody to signal: %s", rule->label, err->text);
    else
        log_error("agent.notify", "%s: %s failed, the file is in place: %s: again=at the next change", rule->label,
                  signal ? "the signal" : "the command", err->text);
}

static void on_notify_result(void *ctx, const struct notify_rule *rule, const struct notify_result *result)
{
    struct sidecar *car = ctx;

    note_result(car, rule, result);
    if (!result->err) {
        log_told(rule, result);
    } else if (notify_fatal(car, rule)) {
        struct err cause = *result->err;

        err_wrap(&cause, "%s", rule->label);
        fail(car, &cause);
    } else {
        log_not_told(rule, result);
    }
}

static void on_notify_idle(void *ctx)
{
    end_if_done(ctx);
}

/* --------------------------------------------------------------------------------------------------------- auth and fetch */

static void on_token(void *ctx, const struct token *token)
{
    struct sidecar *car = ctx;

    log_info("agent.auth.handler", "%s: method=%s ttl=%llds renewable=%s",
             token->handed ? "token taken over, no login needed" : "authentication successful", car->config->method.type,
             (long long)(token->lease.ttl_ms / 1000), token->lease.renewable ? "true" : "false");
    trouble_end(&car->login);
    car->sunk = false;
    sinks_put(car->sinks, token);
    if (*token->value)
        fetch_token(car->fetch, token);
}

static void on_auth_failure(void *ctx, const struct err *err, int64_t again_ms)
{
    struct sidecar *car = ctx;

    trouble_begin(&car->login, err);
    if (again_ms == AUTH_NOT_AGAIN)
        end_by_setting(car, err, "auto_auth.method.exit_on_err");
    else
        log_error("agent.auth.handler", "error authenticating: %s: again_in=%llds", err->text, clock_seconds_up(again_ms));
}

static void on_auth_warning(void *ctx, const char *text)
{
    (void)ctx;
    log_warn("agent.auth.handler", "%s", text);
}

static void on_auth_renewed(void *ctx, const struct token *token)
{
    (void)ctx;
    log_info("agent.auth.handler", "renewed auth token: ttl=%llds", (long long)(token->lease.ttl_ms / 1000));
}

static void on_sinks_written(void *ctx)
{
    struct sidecar *car = ctx;

    car->sunk = true;
    if (car->config->sink_count)
        log_info("agent.sink.file", "token written: sinks=%zu", car->config->sink_count);
    end_if_done(car);
}

static void on_sink_error(void *ctx, const char *path, const struct err *err, int64_t again_ms)
{
    (void)ctx;
    if (again_ms == SINK_NEXT_TOKEN)
        log_error("agent.sink.file", "%s: path=%s again_in=\"next token\"", err->text, path);
    else
        log_error("agent.sink.file", "%s: path=%s again_in=%llds", err->text, path, clock_seconds_up(again_ms));
}

static void on_secret_change(void *ctx, const struct dep *dep)
{
    struct sidecar *car = ctx;

    log_debug("agent.template.server", "received: %s", dep->key);
    err_clear(&car->last_fetch);
    pass_dep_changed(car->pass, dep);
    plan_walk(car);
}

static void on_secret_error(void *ctx, const struct fetch_failure *failure)
{
    struct sidecar *car = ctx;
    struct err cause = *failure->err;

    err_wrap(&cause, "%s", failure->dep->key);
    car->last_fetch = cause;
    pass_dep_failed(car->pass, failure->dep);
    plan_walk(car);
    if (failure->exhausted && car->config->render.exit_on_retry_failure)
        end_by_setting(car, &cause, EXIT_SETTING);
    else
        log_warn("agent.template.server", "%s: attempt=%u again_in=%llds", cause.text, failure->attempt,
                 clock_seconds_up(failure->again_ms));
}

static void on_secret_recovery(void *ctx, const struct dep *dep, int64_t after_ms)
{
    (void)ctx;
    log_info("agent.template.server", "%s: answered again: after=%llds", dep->key, clock_seconds_up(after_ms));
}

static void on_secret_suspect(void *ctx, bool worked)
{
    auth_suspect(((struct sidecar *)ctx)->auth, worked);
}

static void on_secret_renewed(void *ctx, const struct dep *dep)
{
    (void)ctx;
    log_info("agent.template.server", "renewed lease: %s", dep->key);
}

/* ------------------------------------------------------------------------------------------------------------- building */

/* What failed for want of a server need not wait for its time. */
static void on_up(void *ctx)
{
    fetch_hurry(((struct sidecar *)ctx)->fetch);
}

static int new_client(struct sidecar *car, struct err *err)
{
    car->way.on_up = on_up;
    car->way.ctx = car;
    if (car->config->vault.tls_skip_verify)
        log_warn(MODULE, "TLS certificates are not verified (tls_skip_verify): anyone on the way can read the token and the secrets");
    return connect_server(car->loop, &car->config->vault, &car->way, &car->client, err);
}

static int new_auth(struct sidecar *car, struct err *err)
{
    const struct config_method *method = &car->config->method;
    const struct auth_options options = {
        .type = method->type,
        .mount = method->mount_path,
        .config = &method->config,
        .namespace = method->namespace,
        .wrap_ttl = method->wrap_ttl,
        .min_backoff_ms = method->min_backoff_ms,
        .max_backoff_ms = method->max_backoff_ms,
        .exit_on_err = method->exit_on_err,
    };
    const struct auth_events events = {
        .ctx = car,
        .on_token = on_token,
        .on_failure = on_auth_failure,
        .on_warning = on_auth_warning,
        .on_renewed = on_auth_renewed,
    };

    return auth_new(car->loop, car->client, &options, &events, &car->auth, err);
}

static int new_sinks(struct sidecar *car, struct err *err)
{
    const struct sink_events events = {.ctx = car, .on_written = on_sinks_written, .on_error = on_sink_error};
    size_t count = car->config->sink_count;
    _cleanup_free_ struct sink_options *options = mem_array(count, sizeof(*options));

    for (size_t i = 0; i < count; i++) {
        const struct config_sink *sink = &car->config->sinks[i];

        options[i] = (struct sink_options){.path = sink->path, .mode = sink->mode, .uid = sink->uid, .gid = sink->gid};
    }
    car->sinks = sinks_new(car->loop, options, count, &events);
    return sinks_check(car->sinks, err);
}

static void new_fetch(struct sidecar *car)
{
    const struct config_method *method = &car->config->method;
    const struct fetch_options options = {
        .ladder =
            {
                .retries = car->config->vault.num_retries ? car->config->vault.num_retries : -1,
                .base_ms = method->min_backoff_ms,
                .cap_ms = method->max_backoff_ms,
            },
        .static_interval_ms = car->config->render.static_secret_render_interval_ms,
        .renewal_threshold = car->config->render.lease_renewal_threshold,
    };
    const struct fetch_events events = {
        .ctx = car,
        .on_change = on_secret_change,
        .on_error = on_secret_error,
        .on_recovery = on_secret_recovery,
        .on_suspect = on_secret_suspect,
        .on_warning = on_template_warning,
        .on_renewed = on_secret_renewed,
    };

    car->store = store_new();
    car->fetch = fetch_new(car->loop, car->client, car->store, &options, &events);
}

static void new_templates(struct sidecar *car)
{
    const struct pass_events events = {
        .ctx = car,
        .on_error = on_template_error,
        .on_written = on_template_written,
        .on_dep = on_template_dep,
        .on_file = on_template_file,
        .on_plugins = on_template_plugins,
    };
    const struct notify_options options = {
        .loop = car->loop,
        .launcher = car->options.programs->launcher,
        .insist = car->config->strict_commands,
        .on_result = on_notify_result,
        .on_idle = on_notify_idle,
        .ctx = car,
    };

    car->pass = pass_new(car->config, car->options.programs, car->store, &events);
    car->notify = notify_new(&options);
    car->rules = mem_array(car->config->template_count * 2, sizeof(struct notify_rule *));
}

/* What an init agent left. Nothing that goes wrong here is fatal: a login does the same, later. */
static void take_over(struct sidecar *car)
{
    struct handover_place place;
    struct handover *handover;
    struct err err;

    if (!*car->config->handover)
        return;
    if (handover_place(car->config, &place, &err) != 0 || handover_take(&place, &handover, &err) != 0) {
        log_warn("agent.handover", "not taken over, logging in: %s", err.text);
        return;
    }
    if (!handover) {
        log_info("agent.handover", "nothing was left for us, logging in: path=%s", place.path);
        return;
    }
    log_info("agent.handover", "found a token and answers: answers=%zu path=%s", handover_count(handover), place.path);
    auth_offer(car->auth, handover_claim_token(handover));
    fetch_offer(car->fetch, handover);
}

/* Somebody has mended something and does not want to wait. */
static void try_now(struct sidecar *car)
{
    auth_hurry(car->auth);
    fetch_hurry(car->fetch);
    pass_hurry(car->pass);
    plan_walk(car);
}

static void on_hangup(void *ctx, int signo)
{
    struct sidecar *car = ctx;
    enum log_level level;
    struct err err;

    (void)signo;
    try_now(car);
    if (!car->options.reload || car->options.reload(car->options.ctx, &level, &err) != 0) {
        log_error(MODULE, "SIGHUP: the configuration was not taken over: %s", car->options.reload ? err.text : "no file");
        return;
    }
    log_setup(level, car->config->log_json);
    log_info(MODULE, "SIGHUP: what failed is tried now; log level taken over; other changes need a restart");
}

static int start_signals(struct sidecar *car, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(end_signals); i++) {
        if (signal_start(&car->ends[i], car->loop, end_signals[i], on_end_signal, car, err) != 0)
            return -1;
    }
    return signal_start(&car->hangup, car->loop, SIGHUP, on_hangup, car, err);
}

static int new_watched(struct sidecar *car, struct err *err)
{
    const struct watched_events events = {.ctx = car, .on_change = on_file_change, .on_trouble = on_template_warning};

    return watched_new(car->loop, &events, &car->watched, err);
}

static int build(struct sidecar *car, struct err *err)
{
    struct launcher *launcher = car->options.programs->launcher;
    struct err ignored;

    car->loop = loop_new(err);
    if (!car->loop || start_signals(car, err) != 0)
        return -1;
    if (launcher && launcher_attach(launcher, car->loop, err) != 0)
        return -1;
    timer_init(&car->walk, car->loop, on_walk, car);
    timer_init(&car->look, car->loop, on_look, car);
    timer_init(&car->deadline, car->loop, on_deadline, car);
    if (new_watched(car, err) != 0 || new_client(car, err) != 0 || new_auth(car, err) != 0 || new_sinks(car, err) != 0)
        return -1;
    new_fetch(car);
    new_templates(car);
    take_over(car);
    if (beacon_open(&car->beacon, car->loop, on_ask, car, &ignored) != 0)
        log_warn(MODULE, "`ampule-agent probe` will not find this agent: %s", ignored.text);
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
    notify_free(car->notify);
    pass_free(car->pass);
    fetch_free(car->fetch);
    auth_free(car->auth);
    sinks_free(car->sinks);
    store_free(car->store);
    client_free(car->client);
    watched_free(car->watched);
    mem_free(car->rules);
    for (size_t i = 0; i < ARRAY_LEN(end_signals); i++)
        signal_stop(&car->ends[i]);
    signal_stop(&car->hangup);
    beacon_close(&car->beacon);
    loop_free(car->loop);
    mem_free(car);
}

int sidecar_confine(struct sidecar *car, struct err *err)
{
    const struct confine_stages stages = {car->config, car->client, car->auth, car->sinks, car->pass};
    struct harden_report report = {0};

    if (confine(&stages, &report, err) != 0)
        return -1;
    for (size_t i = 0; i < report.count; i++)
        log_warn("agent.harden", "%s: %s", report.gaps[i].what, report.gaps[i].reason);
    if (arena_unlocked())
        log_warn("agent.harden", "mlock: %zu bytes of secrets may reach swap; raise the memlock limit", arena_unlocked());
    return 0;
}

int sidecar_run(struct sidecar *car, struct err *err)
{
    if (car->config->init_deadline_ms && car->config->exit_after_auth)
        timer_after(&car->deadline, car->config->init_deadline_ms);
    auth_start(car->auth);
    plan_walk(car);
    timer_after(&car->look, car->config->render.static_secret_render_interval_ms);
    if (loop_run(car->loop, err) != 0)
        return -1;
    if (!car->failed)
        return 0;
    *err = car->cause;
    return -1;
}
