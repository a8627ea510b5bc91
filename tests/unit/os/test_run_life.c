#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "os/run_life.h"

/* What would happen to a run, event after event. */
static enum run_act after(const enum run_event *events, size_t count, enum run_state *ret)
{
    struct run_step step = {RUN_FREE, RUN_DO_NOTHING};

    for (size_t i = 0; i < count; i++)
        step = run_life(step.next, events[i]);
    *ret = step.next;
    return step.act;
}

#define assert_life(wanted_act, wanted_state, ...)                                                   \
    do {                                                                                             \
        const enum run_event events[] = {__VA_ARGS__};                                               \
        enum run_state state_after;                                                                  \
                                                                                                     \
        assert_int_equal(after(events, sizeof(events) / sizeof(*events), &state_after), wanted_act); \
        assert_int_equal(state_after, wanted_state);                                                 \
    } while (0)

static void its_end_is_told(void **state)
{
    (void)state;
    assert_life(RUN_DO_NOTHING, RUN_RUNNING, RUN_STARTED);
    assert_life(RUN_DO_NOTHING, RUN_RUNNING, RUN_STARTED, RUN_ENDED);
    assert_life(RUN_DO_TELL_END, RUN_FREE, RUN_STARTED, RUN_ENDED, RUN_REAPED);
    assert_life(RUN_DO_SIGNAL, RUN_RUNNING, RUN_STARTED, RUN_SIGNAL);
}

static void what_it_leaves_ends_with_it_if_it_was_told_to_end(void **state)
{
    (void)state;
    assert_life(RUN_DO_SIGNAL, RUN_STOPPING, RUN_STARTED, RUN_STOP);
    assert_life(RUN_DO_SIGNAL, RUN_STOPPING, RUN_STARTED, RUN_STOP, RUN_STOP);
    assert_life(RUN_DO_KILL, RUN_STOPPING, RUN_STARTED, RUN_STOP, RUN_SIGNAL, RUN_ENDED);
    assert_life(RUN_DO_TELL_END, RUN_FREE, RUN_STARTED, RUN_STOP, RUN_ENDED, RUN_REAPED);
    assert_life(RUN_DO_KILL, RUN_LEFT_STOPPING, RUN_STARTED, RUN_STOP, RUN_DETACH, RUN_ENDED);
}

static void one_that_was_let_go_hears_and_tells_nothing_more(void **state)
{
    (void)state;
    assert_life(RUN_DO_TELL_RUNS, RUN_LEFT, RUN_STARTED, RUN_DETACH);
    assert_life(RUN_DO_TELL_RUNS, RUN_LEFT_STOPPING, RUN_STARTED, RUN_STOP, RUN_DETACH);
    for (enum run_state at = RUN_LEFT; at <= RUN_LEFT_STOPPING; at++) {
        assert_int_equal(run_life(at, RUN_SIGNAL).act, RUN_DO_NOTHING);
        assert_int_equal(run_life(at, RUN_STOP).act, RUN_DO_NOTHING);
        assert_int_equal(run_life(at, RUN_DETACH).act, RUN_DO_NOTHING);
        assert_int_equal(run_life(at, RUN_ORPHANED).act, RUN_DO_NOTHING);
        assert_int_equal(run_life(at, RUN_REAPED).act, RUN_DO_NOTHING);
        assert_int_equal(run_life(at, RUN_REAPED).next, RUN_FREE);
    }
}

static void only_one_that_was_not_let_go_is_killed_with_its_agent(void **state)
{
    (void)state;
    assert_life(RUN_DO_KILL, RUN_STOPPING, RUN_STARTED, RUN_ORPHANED);
    assert_life(RUN_DO_KILL, RUN_STOPPING, RUN_STARTED, RUN_STOP, RUN_ORPHANED);
}

static void where_no_program_is_nothing_happens_to_any_process(void **state)
{
    (void)state;
    for (enum run_event event = 0; event < RUN_EVENTS; event++) {
        assert_int_equal(run_life(RUN_FREE, event).act, RUN_DO_NOTHING);
        assert_int_equal(run_life(RUN_FREE, event).next, event == RUN_STARTED ? RUN_RUNNING : RUN_FREE);
    }
}

/* An event that a state does not expect is an entry of the table: a row without one would free a slot whose program runs. */
static void only_reaping_frees(void **state)
{
    (void)state;
    for (enum run_state at = RUN_RUNNING; at < RUN_STATES; at++)
        for (enum run_event event = 0; event < RUN_EVENTS; event++)
            assert_int_equal(run_life(at, event).next == RUN_FREE, event == RUN_REAPED);
}

static void term_and_kill_end_a_program_other_signals_do_not(void **state)
{
    (void)state;
    assert_int_equal(run_signal(SIGTERM), RUN_STOP);
    assert_int_equal(run_signal(SIGKILL), RUN_STOP);
    assert_int_equal(run_signal(SIGHUP), RUN_SIGNAL);
    assert_int_equal(run_signal(SIGUSR1), RUN_SIGNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_end_is_told),
        cmocka_unit_test(what_it_leaves_ends_with_it_if_it_was_told_to_end),
        cmocka_unit_test(one_that_was_let_go_hears_and_tells_nothing_more),
        cmocka_unit_test(only_one_that_was_not_let_go_is_killed_with_its_agent),
        cmocka_unit_test(where_no_program_is_nothing_happens_to_any_process),
        cmocka_unit_test(only_reaping_frees),
        cmocka_unit_test(term_and_kill_end_a_program_other_signals_do_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
