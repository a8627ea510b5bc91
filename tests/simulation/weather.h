/*
 * weather: what goes wrong, when, for how long: drawn from the world's chance.
 *
 * A fault is a stretch of time in which requests of some paths, all or a share of them, are lost, late, refused or answered with
 * nonsense; several may overlap. A blow happens at one moment: tokens revoked, everything forgotten, the machine asleep, the
 * clock set. Between them the server is `server`.
 */
#ifndef SIMULATION_WEATHER_H
#define SIMULATION_WEATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

/* Blows that the server knows nothing of. */
enum weather_blow { BLOW_NONE, BLOW_HANGUP, BLOW_KILL, BLOW_CUT, BLOW_SUSPEND, BLOW_WALL, BLOW_PROGRAM, BLOW_TAKE };

struct weather_plan {
    int64_t fault_every_ms, blow_every_ms, change_every_ms; /* on average; CLOCK_NEVER: none */
    int64_t latency_ms;
    const char *const *paths; /* those that the pod asks for, below /v1/ */
    unsigned path_count;
};

struct weather_events {
    void *ctx;
    /* Before it is applied; the pod's own blows (HANGUP, KILL, PROGRAM, TAKE) are the listener's. */
    void (*on_blow)(void *ctx, enum weather_blow blow, int64_t ms);
    void (*on_line)(void *ctx, const char *text); /* for a trace */
};

void weather_begin(const struct weather_plan *plan, const struct weather_events *events);
void weather_end(void);
/* The wire's ends; `delivered` is somebody else's. */
enum wire_loss weather_sent(const struct wire_request *request, int64_t *ret_ms);
void weather_arrived(const struct wire_request *request, struct wire_answer *answer, int64_t *ret_ms);

/* Since when nothing is wrong; CLOCK_NEVER: something is. */
int64_t weather_calm_since(void);
/* Longest Retry-After that was sent lately, in ms. */
int64_t weather_patience(void);
unsigned long weather_faults(void);
unsigned long weather_blows(void);

#endif
