#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "base/mem.h"
#include "super/forward.h"

static struct loop *loop;
static struct err err;
static int heard;
static enum guard_manner how;

static void on_signal(void *ctx, int signo, enum guard_manner manner)
{
    (void)ctx;
    heard = signo;
    how = manner;
    loop_stop(loop);
}

static enum guard_manner tell(int signo)
{
    heard = 0;
    assert_int_equal(raise(signo), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(heard, signo);
    return how;
}

static void each_signal_is_passed_on_as_the_table_says(void **state)
{
    static const int plain[] = {SIGQUIT, SIGALRM,   SIGCONT, SIGTSTP,  SIGURG, SIGXCPU,
                                SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO,  SIGPWR};
    static const int others[] = {SIGHUP, SIGUSR1, SIGINT, SIGTERM, SIGCHLD, SIGPIPE};
    struct forward *forward = NULL;
    struct sigaction action;

    (void)state;
    loop = loop_new(&err);
    assert_non_null(loop);
    assert_int_equal(forward_start(loop, on_signal, NULL, &forward, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        assert_int_equal(tell(plain[i]), GUARD_PLAIN);
    assert_int_equal(tell(SIGRTMIN), GUARD_PLAIN);
    assert_int_equal(tell(SIGRTMAX), GUARD_PLAIN);
    assert_int_equal(tell(SIGUSR2), GUARD_CAREFUL);
    /* Its owner's, and nobody's. */
    assert_int_equal(forward_manner(SIGHUP), GUARD_CAREFUL);
    assert_int_equal(forward_manner(SIGUSR1), GUARD_CAREFUL);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_int_equal(sigaction(others[i], NULL, &action), 0);
        assert_true(action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
    }
    assert_int_equal(sigaction(SIGTTOU, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_IGN);
    forward_stop(forward);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_signal_is_passed_on_as_the_table_says)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
