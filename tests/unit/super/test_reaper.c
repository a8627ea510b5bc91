#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "super/reaper.h"

static struct loop *loop;

/* Ends when there is no child any more. */
static void on_time(void *ctx)
{
    siginfo_t info; /* looks, and reaps nothing */

    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD)
        loop_stop(loop);
    else
        timer_after(ctx, 5);
}

static void children_that_ended_are_reaped(void **state)
{
    struct reaper reaper = {0};
    struct loop_timer timer;
    struct err err;
    siginfo_t info;

    (void)state;
    loop = loop_new(&err);
    assert_non_null(loop);
    assert_int_equal(reaper_start(&reaper, loop, &err), 0);
    for (int i = 0; i < 3; i++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
            _exit(i);
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    }
    timer_init(&timer, loop, on_time, &timer);
    timer_after(&timer, 1);
    assert_int_equal(loop_run(loop, &err), 0);
    reaper_stop(&reaper);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(children_that_ended_are_reaped)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
