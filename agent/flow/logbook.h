/*
 * logbook: what the agent's stages have the sidecar say in the log, one function an event.
 *
 * In the order of the data. Those that open with a `ctx` are given to the stages as they are, as callbacks, and do not use it.
 * Connect and handover say their own lines.
 */
#ifndef FLOW_LOGBOOK_H
#define FLOW_LOGBOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "config/difference.h"
#include "config/problem.h"
#include "fetch/fetch_events.h"
#include "flow/notify.h"
#include "os/gaps.h"
#include "vault/token.h"

/* The agent itself. */
void logbook_no_verify(void);
void logbook_no_beacon(const struct err *err);
void logbook_confined(const struct gaps *gaps);
void logbook_ending(int signo);
void logbook_all_done(void);
void logbook_revoking(void);
void logbook_status(const char *lines);
void logbook_hangup(void);

/* Applications. */
void logbook_listening(const struct config_listener *listener, const char *address);
void logbook_listener_not_reloaded(const struct err *err);
void logbook_asked_to_quit(void);

/* Another configuration. */
void logbook_reload_problems(const struct problems *problems, bool refused);
void logbook_reload_failed(const struct err *err);
void logbook_reload_takes_restart(const struct difference_keys *keys);
void logbook_reload_beyond(const char *key); /* it is where the agent cannot go any more */
void logbook_reload_template_refused(const struct config *config, const struct config_template *template, const char *why);
void logbook_reloaded(const struct difference *difference);

/* Auth and sinks. */
void logbook_token(const struct config_method *method, const struct token *token);
void logbook_login_failed(const struct err *err, int64_t again_ms);
void logbook_auth_warning(void *ctx, const char *text);
void logbook_token_renewed(void *ctx, const struct token *token);
void logbook_sinks_written(size_t count); /* 0 is accepted */
void logbook_sink_failed(void *ctx, const char *path, const struct err *err, int64_t again_ms);

/* Fetch. */
void logbook_received(const struct dep *dep);
void logbook_fetch_failed(const struct err *err, const struct fetch_failure *failure);
void logbook_recovered(void *ctx, const struct dep *dep, int64_t after_ms);
void logbook_lease_renewed(void *ctx, const struct dep *dep);

/* Templates. */
void logbook_template_warning(void *ctx, const char *text);
void logbook_template_failed(const struct err *err, int64_t again_ms);
void logbook_file_changed(const char *path);
void logbook_rendered(void *ctx, const char *label, const struct config_template *template);

/* Notify. */
void logbook_not_notified(const struct err *err); /* more rules at once than there may be */
void logbook_notified(const struct notify_rule *rule, const struct notify_result *result);

#endif
