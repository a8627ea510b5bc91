/*
 * spawn: one program as a process: in its own process group, with /dev/null as input, our output and error output, no other
 * descriptor, and exactly the environment it is given.
 */
#ifndef OS_SPAWN_H
#define OS_SPAWN_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "os/program_table.h"

struct spawn_rules {
    sigset_t mask;
    const struct rlimit *core; /* NULL: as it is */
};

/* 0 when the program runs, else the errno of its start. `output` -1: our own. */
int spawn(const struct spawn_rules *rules, const struct program *program, int output, pid_t *ret);

/* What the new process does: it executes a program, or tells by spawn_failed() why it cannot. `report` closes on exec. */
typedef void spawn_become(const void *ctx, int report);
/* The same for whoever wants the process otherwise. */
int spawn_as(spawn_become *become, const void *ctx, pid_t *ret);
/* Tells errno. */
_Noreturn void spawn_failed(int report);

#endif
