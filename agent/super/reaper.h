/*
 * reaper: as process 1 of a container we get its orphans as children (those of `docker exec`, say), and nobody else reaps them.
 *
 * All children that have ended are reaped, our own helpers as well: whoever waits for one of those is told that it is gone.
 */
#ifndef SUPER_REAPER_H
#define SUPER_REAPER_H

#include "base/err.h"
#include "base/mem.h"
#include "os/loop.h"

struct reaper {
    struct loop_signal child;
};

int reaper_start(struct reaper *reaper, struct loop *loop, struct err *err) MUST_USE;
/* If we are process 1. */
int reaper_start_as_first(struct reaper *reaper, struct loop *loop, struct err *err) MUST_USE;
void reaper_stop(struct reaper *reaper); /* zeroed structs are accepted */

#endif
