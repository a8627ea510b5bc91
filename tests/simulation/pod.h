/*
 * pod: one agent with its configuration, its files and its commands: the real flow/sidecar, and what is below it.
 *
 * Its files are real, in a folder of the run's own. When the agent ends it is started again, as a kubelet does.
 */
#ifndef SIMULATION_POD_H
#define SIMULATION_POD_H

#include <stdbool.h>
#include <stdint.h>

#include "server.h"

#define POD_FILES 2

struct pod_plan {
    unsigned kv, kv1, db, rotated, certificates; /* how many secrets of each engine */
    int64_t interval_s;                          /* static_secret_render_interval */
    bool plain;                                  /* paths of KV v2 without "data/": the mount table is asked */
    bool commands, sink, exit_on_failure;
};

/* What a file says; 0: nothing about it. */
struct pod_view {
    bool there, whole; /* whole: everything that it should hold, and both halves of each line the same */
    unsigned kv[SERVER_SECRETS], kv1[SERVER_SECRETS], db[SERVER_SECRETS], rotated, certificate[SERVER_SECRETS];
    uint64_t digest, generation; /* of its bytes; counts those that were seen */
};

/* Paths that it asks for, below /v1/; their number. */
unsigned pod_paths(const struct pod_plan *plan, const char **ret, unsigned most);

int pod_start(const struct pod_plan *plan);
void pod_stop(void);
/* After every step: what became of the agent, and of its files. Whether a file is another one now. */
bool pod_look(void);
const struct pod_view *pod_view(unsigned file);
void pod_hangup(void);
void pod_kill(void);
void pod_end(void); /* SIGTERM */
/* Since when it runs; CLOCK_NEVER: it does not. */
int64_t pod_since(void);
unsigned pod_starts(void);
/* Ends that nobody asked for. */
unsigned pod_ends(void);
const char *pod_last_words(void);

#endif
