/*
 * program: the one that the agent supervises: the body behind super/guard.h.
 *
 * It takes its time to start and to end, sometimes does not end before it is killed, and does nothing with other signals. What it
 * finds in its environment is told when it is started; guard and program go with the agent, without a word.
 */
#ifndef SIMULATION_PROGRAM_H
#define SIMULATION_PROGRAM_H

#include <stdbool.h>

#define PROGRAM_VARIABLE "SECRETS"

struct program_events {
    /* `secrets`: what PROGRAM_VARIABLE holds; NULL: it is not set. `alone`: none was running. */
    void (*on_start)(void *ctx, const char *secrets, bool alone);
    void (*on_signal)(void *ctx, int signo); /* but for those that end it */
    void (*on_end)(void *ctx, bool asked);
    void *ctx;
};

void program_listen(const struct program_events *events);
/* It ends by itself; false: none runs. */
bool program_fall(void);

#endif
