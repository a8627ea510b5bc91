#include "super/reaper.h"

#include <signal.h>
#include <sys/wait.h>

static void on_child(void *ctx, int signo)
{
    (void)ctx;
    (void)signo;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

int reaper_start(struct reaper *reaper, struct loop *loop, struct err *err)
{
    return signal_start(&reaper->child, loop, SIGCHLD, on_child, NULL, err);
}

void reaper_stop(struct reaper *reaper)
{
    if (reaper->child.event)
        signal_stop(&reaper->child);
}
