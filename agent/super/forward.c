#include "super/forward.h"

#include <signal.h>

/* 0: not ours. By default a signal goes on as it is. */
enum fate { PLAIN, CAREFUL, OWNER, LEFT, IGNORED };

/*
 * The originals keep HUP, USR1 and USR2 to themselves, and whoever is used to that must not end an application that knows nothing
 * of them: these go only to a program that catches them.
 */
static const unsigned char fates[] = {
    [SIGHUP] = OWNER,    [SIGINT] = OWNER, [SIGTERM] = OWNER, [SIGUSR1] = OWNER, [SIGUSR2] = CAREFUL, [SIGTTIN] = IGNORED,
    [SIGTTOU] = IGNORED, [SIGKILL] = LEFT, [SIGSTOP] = LEFT,  [SIGCHLD] = LEFT,  [SIGPIPE] = LEFT,    [SIGSEGV] = LEFT,
    [SIGBUS] = LEFT,     [SIGFPE] = LEFT,  [SIGILL] = LEFT,   [SIGTRAP] = LEFT,  [SIGSYS] = LEFT,     [SIGABRT] = LEFT,
};

struct forward {
    struct loop_signal signals[_NSIG];
    forward_signal *on_signal;
    void *ctx;
};

static enum fate fate(int signo)
{
    return (size_t)signo < ARRAY_LEN(fates) ? (enum fate)fates[signo] : PLAIN;
}

enum guard_manner forward_manner(int signo)
{
    return fate(signo) == CAREFUL || signo == SIGHUP || signo == SIGUSR1 ? GUARD_CAREFUL : GUARD_PLAIN;
}

static void on_signal(void *ctx, int signo)
{
    struct forward *forward = ctx;

    forward->on_signal(forward->ctx, signo, forward_manner(signo));
}

/* Between the ordinary ones and SIGRTMIN are those that the C library keeps for itself. */
static bool is_passed_on(int signo)
{
    return (fate(signo) == PLAIN || fate(signo) == CAREFUL) && (signo < 32 || signo >= SIGRTMIN);
}

int forward_start(struct loop *loop, forward_signal *tell, void *ctx, struct forward **ret, struct err *err)
{
    struct forward *forward = mem_alloc(sizeof(*forward));

    forward->on_signal = tell;
    forward->ctx = ctx;
    for (int signo = 1; signo <= SIGRTMAX; signo++) {
        if (fate(signo) == IGNORED)
            signal(signo, SIG_IGN);
        if (is_passed_on(signo) && signal_start(&forward->signals[signo], loop, signo, on_signal, forward, err) != 0) {
            forward_stop(forward);
            return -1;
        }
    }
    *ret = forward;
    return 0;
}

void forward_stop(struct forward *forward)
{
    if (!forward)
        return;
    for (int signo = 1; signo <= SIGRTMAX; signo++)
        if (forward->signals[signo].event)
            signal_stop(&forward->signals[signo]);
    mem_free(forward);
}
