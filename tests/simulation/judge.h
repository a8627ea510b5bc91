/*
 * judge: what an agent may never do, whatever the weather: looked at after every step.
 *
 * It sees what a server and an application see: requests, answers as they are delivered, files, commands. Rules that speak of a
 * good state hold while nothing has been wrong for JUDGE_PATIENCE (and what a Retry-After asked for besides); the others always.
 */
#ifndef SIMULATION_JUDGE_H
#define SIMULATION_JUDGE_H

#include <stdbool.h>
#include <stdio.h>

#include "instant.h"
#include "pod.h"
#include "wire.h"

#define JUDGE_PATIENCE (10 * MINUTE)

enum judge_rule {
    RULE_PACE,     /* a failing object: 12 requests in its first minute, 2 in each later one */
    RULE_TOTAL,    /* all requests of a process: 20 at once, 10 a second, besides first reads */
    RULE_TWICE,    /* one request at a time for each object */
    RULE_MIXED,    /* a file is whole, of one generation, and the same in both files */
    RULE_REVOKED,  /* nothing is revoked by the agent */
    RULE_RECOVERS, /* everything is on disk again in time */
    RULE_EARLY,    /* no new credential while the old one has a quarter of its life before it */
    RULE_TOLD,     /* the application is told of each change, once, and not before it */
    RULE_MEMORY,   /* locked memory is bounded, wiped, and given back */
    RULE_EXPIRED,  /* no expired token is used, no expired credential left on disk */
    RULE_STALE,    /* nothing on disk is older than its interval */
    RULE_BUSY,     /* no timer in a circle, few wake-ups at rest */
    RULE_ENDS,     /* the agent goes on */
    RULE_PROGRAM,  /* one program runs, with a whole environment, and is told of each change */
    RULE_COUNT
};

extern const char *const judge_rules[RULE_COUNT];

struct judge_figures {
    unsigned long events, requests, logins, renewals, credentials, changes, commands, faults, blows, violations[RULE_COUNT];
    int64_t lived_ms;
};

/* `seed` names the life in complaints; `out` gets them (at most a few of each rule), and every step when it is traced. */
void judge_begin(const struct pod_plan *plan, uint64_t seed, FILE *out, bool traced);
/* Adds to the figures. */
void judge_end(struct judge_figures *figures);
void judge_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

enum wire_loss judge_sent(const struct wire_request *request, int64_t *ret_ms);
void judge_arrived(const struct wire_request *request, struct wire_answer *answer, int64_t *ret_ms);
void judge_delivered(const struct wire_request *request, const struct wire_answer *answer, bool cancelled);
void judge_command(void *ctx, unsigned program);
void judge_program_start(void *ctx, const char *secrets, bool alone);
void judge_program_signal(void *ctx, int signo);
void judge_program_end(void *ctx, bool asked);
void judge_reload(void);     /* the pod's configuration is another one */
void judge_excuse(void);     /* the agent may try everything once more: SIGHUP */
void judge_restart(void);    /* another process now */
void judge_wall(int64_t ms); /* the pod's wall clock was set */
bool judge_broken(enum judge_rule rule);
/* After a step; whether it is worth going on. */
bool judge_look(void);

#endif
