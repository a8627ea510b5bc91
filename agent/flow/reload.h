/*
 * reload: another configuration for an agent that runs: read, compared with the one in use, checked, and taken over by every
 * stage.
 *
 * All or nothing as far as the files go: one that cannot be read, or a template that cannot be compiled, leaves everything as it
 * is. What takes a restart is named in one line and stays as it was, and the rest is taken over: keys that only a start reads,
 * and templates that want what the agent has given up since (folders, commands, signals to others). Templates that did not change
 * go on with their secrets, as does the login. Lines of the log are in flow/logbook.
 */
#ifndef FLOW_RELOAD_H
#define FLOW_RELOAD_H

#include "config/config.h"
#include "config/problem.h"
#include "fetch/fetch.h"
#include "flow/application.h"
#include "flow/auth.h"
#include "flow/connect.h"
#include "flow/notify.h"
#include "flow/programs.h"
#include "flow/sink.h"
#include "flow/templates.h"
#include "os/reach.h"
#include "vault/client.h"

struct reload;

struct reload_options {
    struct client *client;
    struct connect *way_in; /* of logins with a certificate of their own */
    struct auth *auth;
    struct sinks *sinks;
    struct fetch *fetch;
    struct templates *templates;
    struct notify *notify;
    struct application *application; /* NULL: nothing is supervised */
    struct programs *programs;
    const struct reach *reach; /* what the agent has left to itself */
    config_source *load;
    void *load_ctx;
    /* Every stage has it. The one before is gone when this returns. */
    void (*on_taken)(void *ctx, const struct config *config, unsigned parts); /* parts: of enum difference_part */
    void *ctx;
};

/* `config`: in use until now, the caller's; later ones are owned here. */
struct reload *reload_new(const struct reload_options *options, const struct config *config);
void reload_free(struct reload *reload); /* NULL is accepted */
/* Now, or, while one is under way, once more behind it. */
void reload_begin(struct reload *reload);

#endif
