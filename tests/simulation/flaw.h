/*
 * flaw: what is wrong with this simulation on purpose, so that its judge can be seen to notice.
 *
 * One at a time; each stands for a mistake that an agent could make, made by a body that stands in for something below it.
 */
#ifndef SIMULATION_FLAW_H
#define SIMULATION_FLAW_H

#include <stdbool.h>

enum flaw {
    FLAW_NONE,
    FLAW_IMPATIENT, /* waits of the agent are a twentieth of what it wanted */
    FLAW_SLOW,      /* they are half as long again */
    FLAW_SPINNING,  /* they are none at all */
    FLAW_ECHO,      /* each request is sent many times */
    FLAW_TORN,      /* a file appears half written */
    FLAW_REVOKES,   /* renewals of leases are revocations */
    FLAW_DEAF,      /* whoever was refused once is refused for ever, though nothing is wrong */
    FLAW_SILENT,    /* commands do not start */
    FLAW_CHATTY,    /* commands start twice */
    FLAW_LEAKY,     /* locked memory is given back unwiped */
    FLAW_BOASTFUL,  /* the server promises leases twice as long as they are */
    FLAW_CACHED,    /* it goes on showing first versions */
    FLAW_MORTAL,    /* the agent is told to end, and nobody told it */
    FLAW_MUTE,      /* the guard loses what the program is told */
    FLAW_UNHEARD,   /* SIGHUP is lost */
    FLAW_SWAPPED,   /* the server wraps another token */
    FLAW_COUNT
};

extern const char *const flaw_names[FLAW_COUNT];
extern enum flaw flaw_of_now;

static inline bool flawed(enum flaw flaw)
{
    return flaw_of_now == flaw;
}

#endif
