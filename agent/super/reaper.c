#include "super/reaper.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

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

int reaper_start_as_first(struct reaper *reaper, struct loop *loop, struct err *err)
{
    return getpid() == 1 ? reaper_start(reaper, loop, err) : 0;
}

void reaper_stop(struct reaper *reaper)
{
    if (reaper->child.event)
        signal_stop(&reaper->child);
}
