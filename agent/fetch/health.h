/*
 * health: what an agent says of itself when a probe asks: is everything on disk, is the token good, which error lasts longest.
 *
 * One plain struct that crosses a socket between two copies of one program (os/beacon); nothing secret is in it.
 */
#ifndef FETCH_HEALTH_H
#define FETCH_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum health_purpose { HEALTH_STARTUP, HEALTH_READINESS, HEALTH_LIVENESS };

struct health {
    uint32_t version;           /* of this layout */
    uint8_t rendered;           /* every file, sink and command of the configuration was done once */
    uint8_t token;              /* there is a token, and it has not ended */
    int64_t trouble_ms;         /* how long the oldest error that still holds has lasted; -1: there is none */
    char trouble[ERR_TEXT_MAX]; /* its text */
    char behind[ERR_TEXT_MAX];  /* what `rendered` waits for; "" when it is true */
};

/* An error that lasts. */
struct trouble {
    struct err err; /* ERR_NONE: there is none */
    int64_t since;  /* of clock_now() */
};

void trouble_begin(struct trouble *trouble, const struct err *err); /* one that goes on keeps its time */
void trouble_end(struct trouble *trouble);

void health_init(struct health *health);
/* An error that has held since a moment of clock_now(); the oldest is kept. */
void health_note(struct health *health, int64_t since, const char *text);
void health_note_trouble(struct health *health, const struct trouble *trouble); /* none is accepted */
/* Bytes from a socket; false when they are not a struct health. */
bool health_read(const void *data, size_t len, struct health *ret);
/* "startup", "readiness", "liveness" */
int health_purpose(const char *word, enum health_purpose *ret, struct err *err) MUST_USE;
/* 0: good for that purpose; -1: why not. Errors younger than patience_ms are not held against it. */
int health_judge(const struct health *health, enum health_purpose purpose, int64_t patience_ms, struct err *err) MUST_USE;

#endif
