/*
 * run_life: one program that the launcher runs, from its start until it is reaped: what each event means in each state. Pure.
 *
 * Every event has an entry in every state. A signal to a run that is over, or to one that was let go, is none: its number may be
 * somebody else's. What a stopped program leaves in its process group ends with it, while the group's number is surely its own.
 */
#ifndef OS_RUN_LIFE_H
#define OS_RUN_LIFE_H

enum run_state {
    RUN_FREE,     /* no program */
    RUN_RUNNING,  /* its end will be told */
    RUN_STOPPING, /* the same, and it was told to end */
    RUN_LEFT,     /* nothing more will be told of it, and it may outlive us */
    RUN_LEFT_STOPPING,
    RUN_STATES
};

enum run_event {
    RUN_STARTED,
    RUN_SIGNAL, /* one that does not end it */
    RUN_STOP,   /* TERM or KILL */
    RUN_DETACH,
    RUN_ENDED, /* not reaped yet */
    RUN_REAPED,
    RUN_ORPHANED, /* who asked for it is gone */
    RUN_EVENTS
};

enum run_act {
    RUN_DO_NOTHING,
    RUN_DO_SIGNAL,    /* to its process group */
    RUN_DO_KILL,      /* all that is left of its process group */
    RUN_DO_TELL_RUNS, /* that it runs is all that will be told */
    RUN_DO_TELL_END,  /* how it ended */
};

struct run_step {
    enum run_state next;
    enum run_act act;
};

struct run_step run_life(enum run_state state, enum run_event event);
/* RUN_SIGNAL or RUN_STOP. */
enum run_event run_signal(int signo);

#endif
