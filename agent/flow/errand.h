/*
 * errand: `ampule-agent quit`, `reload` and `status`: a signal to the agent that runs in this container.
 *
 * It is found as by a probe (os/beacon), or by its pid or pid file; several take a name, so that nobody ends a neighbour's. That
 * it is an agent of our uid is seen before it is signalled.
 */
#ifndef FLOW_ERRAND_H
#define FLOW_ERRAND_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct errand {
    int signo;
    pid_t pid;            /* 0: not given */
    const char *pid_file; /* NULL: not given */
    int64_t wait_ms;      /* for its end; 0: it is told, and no more */
};

/* -1: nobody was told, or it still runs. */
int errand_run(const struct errand *errand, struct err *err) MUST_USE;

#endif
