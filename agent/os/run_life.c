#include "os/run_life.h"

#include <signal.h>

static const struct run_step steps[RUN_STATES][RUN_EVENTS] =
    {
        [RUN_FREE] =
            {
                [RUN_STARTED] = {RUN_RUNNING, RUN_DO_NOTHING},
                [RUN_SIGNAL] = {RUN_FREE, RUN_DO_NOTHING},
                [RUN_STOP] = {RUN_FREE, RUN_DO_NOTHING},
                [RUN_DETACH] = {RUN_FREE, RUN_DO_NOTHING},
                [RUN_ENDED] = {RUN_FREE, RUN_DO_NOTHING},
                [RUN_REAPED] = {RUN_FREE, RUN_DO_NOTHING},
                [RUN_ORPHANED] = {RUN_FREE, RUN_DO_NOTHING},
            },
        [RUN_RUNNING] =
            {
                [RUN_STARTED] = {RUN_RUNNING, RUN_DO_NOTHING},
                [RUN_SIGNAL] = {RUN_RUNNING, RUN_DO_SIGNAL},
                [RUN_STOP] = {RUN_STOPPING, RUN_DO_SIGNAL},
                [RUN_DETACH] = {RUN_LEFT, RUN_DO_TELL_RUNS},
                [RUN_ENDED] = {RUN_RUNNING, RUN_DO_NOTHING},
                [RUN_REAPED] = {RUN_FREE, RUN_DO_TELL_END},
                [RUN_ORPHANED] = {RUN_STOPPING, RUN_DO_KILL},
            },
        [RUN_STOPPING] =
            {
                [RUN_STARTED] = {RUN_STOPPING, RUN_DO_NOTHING},
                [RUN_SIGNAL] = {RUN_STOPPING, RUN_DO_SIGNAL},
                [RUN_STOP] = {RUN_STOPPING, RUN_DO_SIGNAL},
                [RUN_DETACH] = {RUN_LEFT_STOPPING, RUN_DO_TELL_RUNS},
                [RUN_ENDED] = {RUN_STOPPING, RUN_DO_KILL},
                [RUN_REAPED] = {RUN_FREE, RUN_DO_TELL_END},
                [RUN_ORPHANED] = {RUN_STOPPING, RUN_DO_KILL},
            },
        [RUN_LEFT] =
            {
                [RUN_STARTED] = {RUN_LEFT, RUN_DO_NOTHING},
                [RUN_SIGNAL] = {RUN_LEFT, RUN_DO_NOTHING},
                [RUN_STOP] = {RUN_LEFT, RUN_DO_NOTHING},
                [RUN_DETACH] = {RUN_LEFT, RUN_DO_NOTHING},
                [RUN_ENDED] = {RUN_LEFT, RUN_DO_NOTHING},
                [RUN_REAPED] = {RUN_FREE, RUN_DO_NOTHING},
                [RUN_ORPHANED] = {RUN_LEFT, RUN_DO_NOTHING},
            },
        [RUN_LEFT_STOPPING] =
            {
                [RUN_STARTED] = {RUN_LEFT_STOPPING, RUN_DO_NOTHING},
                [RUN_SIGNAL] = {RUN_LEFT_STOPPING, RUN_DO_NOTHING},
                [RUN_STOP] = {RUN_LEFT_STOPPING, RUN_DO_NOTHING},
                [RUN_DETACH] = {RUN_LEFT_STOPPING, RUN_DO_NOTHING},
                [RUN_ENDED] = {RUN_LEFT_STOPPING, RUN_DO_KILL},
                [RUN_REAPED] = {RUN_FREE, RUN_DO_NOTHING},
                [RUN_ORPHANED] = {RUN_LEFT_STOPPING, RUN_DO_NOTHING},
            },
};

struct run_step run_life(enum run_state state, enum run_event event)
{
    return steps[state][event];
}

enum run_event run_signal(int signo)
{
    return signo == SIGTERM || signo == SIGKILL ? RUN_STOP : RUN_SIGNAL;
}
