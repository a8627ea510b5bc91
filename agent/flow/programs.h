/*
 * programs: the commands of the configuration, given to a launcher before anything is restricted or secret.
 *
 * Each command gets our own environment, how to reach the server (VAULT_ADDR and its like, never the token) and its own additions.
 */
#ifndef FLOW_PROGRAMS_H
#define FLOW_PROGRAMS_H

#include <sys/resource.h>

#include "base/err.h"
#include "flow/config.h"
#include "os/launcher.h"

#define PROGRAM_NONE (-1)

struct programs {
    struct launcher *launcher; /* NULL when no template has a command and plugins are not allowed */
    int *numbers;              /* one a template: the launcher's number, or PROGRAM_NONE */
};

/* Forks when there is anything to start: call it with one thread, before the loop. `core`: the core limit that programs shall have. */
int programs_start(struct programs *programs, const struct config *config, const struct rlimit *core, struct err *err) MUST_USE;
void programs_stop(struct programs *programs); /* zeroed structs are accepted */

#endif
