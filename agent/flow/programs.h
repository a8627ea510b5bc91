/*
 * programs: the commands of the configuration, given to a launcher (what `exec` names: to a guard) before anything is restricted
 * or secret.
 *
 * Each command gets our own environment, how to reach the server (VAULT_ADDR and its like, never the token) and its own
 * additions. A later configuration is read by the launcher's process itself, which so starts nothing that only the agent names.
 */
#ifndef FLOW_PROGRAMS_H
#define FLOW_PROGRAMS_H

#include "base/err.h"
#include "config/config.h"
#include "config/problem.h"
#include "os/harden.h"
#include "os/launcher.h"
#include "super/guard.h"

#define PROGRAM_NONE (-1)

/* The configuration, read again. -1 when the agent cannot run with it; problems are appended. */
typedef int config_source(void *ctx, struct config *ret, struct problems *problems);

struct programs_options {
    const struct config *config;
    const struct harden_origin *origin; /* what programs shall have */
    config_source *load;                /* for programs of a later configuration; NULL: there is none */
    void *ctx;
};

struct programs {
    struct launcher
        *launcher;       /* NULL when neither template nor group has a command, no login a helper, and plugins are not allowed */
    int *numbers;        /* one a template, then one a group: the launcher's number, or PROGRAM_NONE */
    int helper;          /* of the login, or PROGRAM_NONE */
    struct guard *guard; /* NULL when nothing is supervised */
    char **pairs;        /* how to reach the server, for commands; NULL-terminated */
    config_source *load;
    void *ctx;
};

/* Forks when there is anything to start: call it with one thread, before the loop. */
int programs_start(struct programs *programs, const struct programs_options *options, struct err *err) MUST_USE;
/* The commands of another configuration: what is new has to be learned by the launcher (os/launcher.h). Their numbers into `ret`
 * (one a template, then one a group) unless that is NULL. ERR_LIMIT when there are too many. */
int programs_add(struct programs *programs, const struct config *config, int *ret, struct err *err) MUST_USE;
void programs_unlearn(struct programs *programs);
/* These are the numbers from now on; taken over. */
void programs_take(struct programs *programs, int *numbers);
void programs_stop(struct programs *programs); /* zeroed structs are accepted */

#endif
