/*
 * launch_server: the launcher's own process: starts what it is asked for over `socket`, tells how it ended, passes signals on.
 *
 * It reaps its programs and their orphans. When the agent is gone it kills what still runs and was not detached, and ends. What
 * each event means for a program is `run_life`'s table.
 */
#ifndef OS_LAUNCH_SERVER_H
#define OS_LAUNCH_SERVER_H

#include "os/program_table.h"

struct rlimit;

/* In the forked process; `core` as for launcher_start(). */
_Noreturn void launch_server(struct program_table *table, int socket, const struct rlimit *core);

#endif
