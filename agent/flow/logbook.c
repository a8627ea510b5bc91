#include "flow/logbook.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "flow/sink.h"

#define AGENT  "agent"
#define HARDEN "agent.harden"
#define STATUS "agent.status"
#define AUTH   "agent.auth.handler"
#define SINK   "agent.sink.file"
#define SERVER "agent.template.server"
#define NOTIFY "agent.notify"

/* ------------------------------------------------------------------------------------------------- the agent itself */

void logbook_no_verify(void)
{
    log_warn(AGENT, "TLS certificates are not verified (tls_skip_verify): anyone on the way can read the token and the secrets");
}

void logbook_no_beacon(const struct err *err)
{
    log_warn(AGENT, "`ampule-agent probe` will not find this agent: %s", err->text);
}

void logbook_confined(const struct gaps *gaps)
{
    for (size_t i = 0; i < gaps->count; i++)
        log_warn(HARDEN, "%s: %s", gaps->rows[i].what, gaps->rows[i].reason);
    if (arena_unlocked())
        log_warn(HARDEN, "mlock: %zu bytes of secrets may reach swap; raise the memlock limit", arena_unlocked());
}

void logbook_ending(int signo)
{
    log_info(AGENT, "%s: shutting down; rendered files stay", strsignal(signo));
}

void logbook_status(const char *lines)
{
    while (*lines) {
        int len = (int)strcspn(lines, "\n");

        log_info(STATUS, "%.*s", len, lines);
        lines += len + (lines[len] == '\n');
    }
}

void logbook_listening(const struct config_listener *listener, const char *address)
{
    log_info(AGENT, "listening: address=%s tls=%s%s", address, listener->tls_disable ? "disabled" : "enabled",
             listener->metrics_only ? " role=metrics_only" : "");
}

void logbook_listener_not_reloaded(const struct err *err)
{
    log_warn(AGENT, "%s; the certificate of before stays in use", err->text);
}

void logbook_asked_to_quit(void)
{
    log_info(AGENT, "asked to end at /agent/v1/quit: shutting down; rendered files stay");
}

void logbook_revoking(void)
{
    log_info(AGENT, "revoking the token and its leases, as ampule.revoke_on_exit asks for");
}

void logbook_all_done(void)
{
    log_info(AGENT, "exit_after_auth: everything is on disk");
}

void logbook_hangup(void)
{
    log_info(AGENT, "SIGHUP: what failed is tried now, the configuration is read again");
}

/* -------------------------------------------------------------------------------------------- another configuration */

void logbook_reload_problems(const struct problems *problems, bool refused)
{
    for (size_t i = 0; i < problems->len; i++) {
        _cleanup_buf_ struct buf line;

        buf_init_clipped(&line, LIMIT_PROBLEMS_BYTES);
        problem_write(&problems->items[i], &line);
        if (problems->items[i].severity == PROBLEM_WARNING)
            log_warn(AGENT, "configuration: %s", line.data);
        else
            log_error(AGENT, "configuration: %s", line.data);
    }
    if (refused)
        log_error(AGENT, "configuration not taken over: errors=%zu; the one in use stays", problems->unusable);
}

void logbook_reload_failed(const struct err *err)
{
    log_error(AGENT, "configuration not taken over: %s; the one in use stays", err->text);
}

static void add_keys(struct buf *line, const struct difference_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        buf_addf(line, "%s%s", i ? ", " : "", keys->items[i]);
}

void logbook_reload_takes_restart(const struct difference_keys *keys)
{
    _cleanup_buf_ struct buf line;

    buf_init_clipped(&line, LIMIT_PROBLEMS_BYTES);
    add_keys(&line, keys);
    log_warn(AGENT, "configuration: a restart is needed for: %s", line.data);
}

void logbook_reload_beyond(const char *key)
{
    log_warn(AGENT,
             "configuration: a restart is needed for: %s: outside of what the agent left to itself at its start (Landlock)", key);
}

void logbook_reload_template_refused(const struct config *config, const struct config_template *template, const char *why)
{
    log_warn(AGENT, "configuration: a restart is needed for: %s:%u: %s (%s): %s", config_file(config, template->file),
             template->place.line, template->path, template->variable ? template->variable : template->destination, why);
}

/* "1 template added" */
static void add_count(struct buf *line, size_t count, const char *what)
{
    if (count)
        buf_addf(line, "%s%zu template%s %s", line->len ? ", " : "", count, count == 1 ? "" : "s", what);
}

void logbook_reloaded(const struct difference *difference)
{
    _cleanup_buf_ struct buf line;

    buf_init_clipped(&line, LIMIT_PROBLEMS_BYTES);
    add_count(&line, difference->added, "added");
    add_count(&line, difference->edited, "edited");
    add_count(&line, difference->removed, "removed");
    if (difference->taken.count)
        buf_adds(&line, line.len ? ", " : "");
    add_keys(&line, &difference->taken);
    log_info(AGENT, "configuration reloaded: %s", line.len ? line.data : "nothing has changed");
}

/* --------------------------------------------------------------------------------------------------- auth and sinks */

void logbook_token(const struct config_method *method, const struct token *token)
{
    log_info(AUTH, "%s: method=%s ttl=%llds renewable=%s",
             token->handed ? "token taken over, no login needed" : "authentication successful", method->type,
             (long long)(token->lease.ttl_ms / 1000), token->lease.renewable ? "true" : "false");
}

void logbook_login_failed(const struct err *err, int64_t again_ms)
{
    log_error(AUTH, "error authenticating: %s: again_in=%llds", err->text, clock_seconds_up(again_ms));
}

void logbook_auth_warning(void *ctx, const char *text)
{
    (void)ctx;
    log_warn(AUTH, "%s", text);
}

void logbook_token_renewed(void *ctx, const struct token *token)
{
    (void)ctx;
    log_info(AUTH, "renewed auth token: ttl=%llds", (long long)(token->lease.ttl_ms / 1000));
}

void logbook_sinks_written(size_t count)
{
    if (count)
        log_info(SINK, "token written: sinks=%zu", count);
}

void logbook_sink_failed(void *ctx, const char *path, const struct err *err, int64_t again_ms)
{
    (void)ctx;
    if (again_ms == SINK_NEXT_TOKEN)
        log_error(SINK, "%s: path=%s again_in=\"next token\"", err->text, path);
    else
        log_error(SINK, "%s: path=%s again_in=%llds", err->text, path, clock_seconds_up(again_ms));
}

/* ------------------------------------------------------------------------------------------------------------ fetch */

void logbook_received(const struct dep *dep)
{
    log_debug(SERVER, "received: %s", dep->key);
}

void logbook_fetch_failed(const struct err *err, const struct fetch_failure *failure)
{
    log_warn(SERVER, "%s: attempt=%u again_in=%llds", err->text, failure->attempt, clock_seconds_up(failure->again_ms));
}

void logbook_recovered(void *ctx, const struct dep *dep, int64_t after_ms)
{
    (void)ctx;
    log_info(SERVER, "%s: answered again: after=%llds", dep->key, clock_seconds_up(after_ms));
}

void logbook_lease_renewed(void *ctx, const struct dep *dep)
{
    (void)ctx;
    log_info(SERVER, "renewed lease: %s", dep->key);
}

/* -------------------------------------------------------------------------------------------------------- templates */

void logbook_template_warning(void *ctx, const char *text)
{
    (void)ctx;
    log_warn(SERVER, "%s", text);
}

void logbook_template_failed(const struct err *err, int64_t again_ms)
{
    log_error(SERVER, "%s: again_in=%llds", err->text, clock_seconds_up(again_ms));
}

void logbook_file_changed(const char *path)
{
    log_debug(SERVER, "file changed: path=%s", path);
}

void logbook_rendered(void *ctx, const char *label, const struct config_template *template)
{
    (void)ctx;
    log_info(SERVER, "rendered: %s destination=%s", label, template->destination);
}

/* ----------------------------------------------------------------------------------------------------------- notify */

void logbook_not_notified(const struct err *err)
{
    log_error(SERVER, "%s", err->text);
}

static void notified(const struct notify_rule *rule, const struct proc_told *told)
{
    if (rule->program != NOTIFY_SIGNAL)
        log_info(NOTIFY, "%s: command %s", rule->label, rule->timeout_ms ? "succeeded" : "started");
    else if (told->left_out == 0)
        log_info(NOTIFY, "%s: application signalled: processes=%u", rule->label, told->reached);
    else
        log_info(NOTIFY, "%s: application signalled: processes=%u; of its name, but not ours to signal: %u", rule->label,
                 told->reached, told->left_out);
}

static void notify_failed(const struct notify_rule *rule, const struct notify_result *result)
{
    bool signal = rule->program == NOTIFY_SIGNAL;
    const struct err *err = result->err;

    if (result->again_ms != NOTIFY_NOT_AGAIN)
        log_warn(NOTIFY, "%s: %s: attempt=%u again_in=%llds", rule->label, err->text, result->attempt,
                 clock_seconds_up(result->again_ms));
    else if (signal && err->code == ERR_MISSING)
        log_info(NOTIFY, "%s: nobody to signal: %s", rule->label, err->text);
    else
        log_error(NOTIFY, "%s: %s failed, the file is in place: %s: again=at the next change", rule->label,
                  signal ? "the signal" : "the command", err->text);
}

void logbook_notified(const struct notify_rule *rule, const struct notify_result *result)
{
    if (result->err)
        notify_failed(rule, result);
    else
        notified(rule, &result->told);
}
