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

#define POD_FILES   3         /* the last one comes and goes, where there are reloads */
#define POD_PROGRAM POD_FILES /* a view of what the supervised program found in its environment */
#define POD_VIEWS   (POD_FILES + 1)
#define POD_GUEST   (SERVER_SECRETS - 1) /* the KV secret that only the last file names */

enum pod_last { POD_NOTHING, POD_STATIC, POD_CREDENTIAL };

struct pod_plan {
    unsigned kv, kv1, db, rotated, certificates; /* how many secrets of each engine */
    int64_t interval_s;                          /* static_secret_render_interval */
    bool plain;                                  /* paths of KV v2 without "data/": the mount table is asked */
    bool commands, sink, exit_on_failure;
    bool wrapped;   /* what the sink gets */
    bool program;   /* supervised, with what the second file says in its environment */
    bool by_signal; /* how it hears of changes */
    bool reloads;   /* SIGHUP finds another configuration */
};

/* What a file, or a program's environment, says; 0: nothing about it. */
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
/* In the middle of a step: the files as they are now. */
void pod_see(void);
const struct pod_view *pod_view(unsigned file);
/* SIGHUP, where there are reloads with another configuration before it. */
void pod_hangup(void);
/* What the last file is to hold. */
enum pod_last pod_last(void);
/* The token in the sink, or in what is wrapped there; 0: none. */
unsigned pod_sink(void);
/* Somebody uses up what is wrapped there; the token that he gets. */
void pod_take(void);
unsigned pod_taken(void);
/* The program starts with this in its environment, or is over. */
void pod_program_starts(const char *secrets);
void pod_program_ends(bool asked);
void pod_kill(void);
void pod_end(void); /* SIGTERM */
/* Since when it runs; CLOCK_NEVER: it does not. */
int64_t pod_since(void);
unsigned pod_starts(void);
/* Ends that nobody asked for, and those because the program ended. */
unsigned pod_ends(void);
unsigned pod_program_ended(void);
const char *pod_last_words(void);

#endif
