#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "support/fake_clock.c"
#include "support/fake_loop.c"

#include "super/supervisor.h"

/* A guard that notes what it is told; the program ends when a test says so. */
static struct guard_events guarded;
static struct err err;
static unsigned runs;
static bool guard_lost;
static struct {
    int signo;
    enum guard_manner manner;
} sent[8];
static unsigned sent_count;

int guard_attach(struct guard *guard, struct loop *loop, const struct guard_events *events, struct err *e)
{
    (void)guard, (void)loop, (void)e;
    guarded = *events;
    return 0;
}

void guard_detach(struct guard *guard)
{
    (void)guard;
}

int guard_run(struct guard *guard, int environment, struct err *e)
{
    (void)guard;
    assert_true(environment >= 0);
    runs++;
    return guard_lost ? err_set(e, ERR_SYSTEM, "gone") : 0;
}

int guard_signal(struct guard *guard, int signo, enum guard_manner manner, struct err *e)
{
    (void)guard, (void)e;
    sent[sent_count].signo = signo;
    sent[sent_count++].manner = manner;
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- the world */

static struct loop *loop;
static struct environment *environment;
static struct supervisor *supervisor;
static unsigned changes, kills, overs;
static struct supervisor_end how;

static void on_started(void *ctx, pid_t pid)
{
    (void)ctx, (void)pid;
}

static void on_changed(void *ctx, enum supervisor_change change)
{
    (void)ctx, (void)change;
    changes++;
}

static void on_killed(void *ctx)
{
    (void)ctx;
    kills++;
}

static void on_over(void *ctx, const struct supervisor_end *end)
{
    (void)ctx;
    overs++;
    how = *end;
}

static void begin(enum supervisor_change change)
{
    static const char *const names[] = {"A"};
    const struct supervisor_events events = {
        .on_started = on_started, .on_changed = on_changed, .on_killed = on_killed, .on_over = on_over};
    struct supervisor_options options = {.ways.stop_signal = SIGUSR2,
                                         .ways.on_change = change,
                                         .ways.change_signal = SIGHUP,
                                         .ways.grace_ms = SUPERVISOR_GRACE_MS};

    runs = sent_count = changes = kills = overs = 0;
    guard_lost = false;
    options.loop = loop = loop_new(&err);
    options.environment = environment = environment_new(names, 1);
    assert_int_equal(supervisor_new(&options, &events, &supervisor, &err), 0);
}

static int clean(void **state)
{
    (void)state;
    supervisor_free(supervisor);
    environment_free(environment);
    loop_free(loop);
    return 0;
}

static void update(const char *value)
{
    assert_int_equal(environment_set(environment, "A", value, strlen(value), &err), 0);
    supervisor_update(supervisor);
}

static void end(int code, int signo)
{
    guarded.on_ended(guarded.ctx, &(struct guard_end){.code = code, .signo = signo});
}

/* ------------------------------------------------------------------------------------------------------------ tests */

static void program_starts_at_once_with_the_first_environment(void **state)
{
    (void)state;
    begin(SUPERVISOR_RESTART);
    assert_false(supervisor_runs(supervisor));
    update("1");
    assert_int_equal(runs, 1);
    assert_true(supervisor_runs(supervisor));
}

static void change_restarts_it_once_when_it_has_settled(void **state)
{
    (void)state;
    begin(SUPERVISOR_RESTART);
    update("1");
    update("2");
    fake_loop_run(loop, SUPERVISOR_SETTLE_MS - 1);
    update("3");
    fake_loop_run(loop, SUPERVISOR_SETTLE_MS - 1);
    assert_int_equal(sent_count, 0);
    fake_loop_run(loop, 1);
    assert_true(sent_count == 1 && sent[0].signo == SIGUSR2 && sent[0].manner == GUARD_STOP);
    assert_int_equal(runs, 1);
    end(0, 0);
    assert_true(runs == 2 && changes == 1 && overs == 0);
}

static void changes_without_end_are_acted_upon_all_the_same(void **state)
{
    char value[2] = "0";

    (void)state;
    begin(SUPERVISOR_RESTART);
    update("x");
    for (unsigned i = 0; i < 11; i++, value[0]++) {
        update(value);
        fake_loop_run(loop, SUPERVISOR_SETTLE_MS / 2);
    }
    assert_int_equal(changes, 1);
}

static void environment_that_is_the_old_one_again_restarts_nothing(void **state)
{
    (void)state;
    begin(SUPERVISOR_RESTART);
    update("1");
    update("2");
    update("1");
    fake_loop_run(loop, 10 * SUPERVISOR_SETTLE_MS);
    assert_true(sent_count == 0 && changes == 0 && runs == 1);
}

static void who_does_not_end_in_time_is_killed_with_its_group(void **state)
{
    (void)state;
    begin(SUPERVISOR_RESTART);
    update("1");
    update("2");
    fake_loop_run(loop, SUPERVISOR_SETTLE_MS + SUPERVISOR_GRACE_MS - 1);
    assert_true(sent_count == 1 && kills == 0);
    fake_loop_run(loop, 1);
    assert_true(sent_count == 2 && sent[1].signo == SIGKILL && sent[1].manner == GUARD_KILL && kills == 1);
    end(-1, SIGKILL);
    assert_int_equal(runs, 2);
    fake_loop_run(loop, 2 * SUPERVISOR_GRACE_MS); /* the next one is not on its way down */
    assert_int_equal(sent_count, 2);
}

static void change_during_a_restart_goes_along_with_it(void **state)
{
    (void)state;
    begin(SUPERVISOR_RESTART);
    update("1");
    update("2");
    fake_loop_run(loop, SUPERVISOR_SETTLE_MS);
    update("3");
    end(0, 0);
    fake_loop_run(loop, 10 * SUPERVISOR_SETTLE_MS);
    assert_true(runs == 2 && sent_count == 1);
}

static void left_alone_it_keeps_running(void **state)
{
    (void)state;
    begin(SUPERVISOR_LEAVE);
    update("1");
    update("2");
    supervisor_touch(supervisor);
    fake_loop_run(loop, 10 * SUPERVISOR_SETTLE_MS);
    assert_true(changes == 1 && sent_count == 0 && runs == 1);
}

static void signal_instead_of_a_restart_also_when_only_a_file_has_changed(void **state)
{
    (void)state;
    begin(SUPERVISOR_SIGNAL);
    supervisor_touch(supervisor); /* before it runs there is nobody to tell */
    update("1");
    update("2");
    fake_loop_run(loop, SUPERVISOR_SETTLE_MS);
    assert_true(sent_count == 1 && sent[0].signo == SIGHUP);
    supervisor_touch(supervisor);
    fake_loop_run(loop, SUPERVISOR_SETTLE_MS);
    assert_true(sent_count == 2 && runs == 1 && changes == 2);
    fake_loop_run(loop, 10 * SUPERVISOR_SETTLE_MS);
    assert_int_equal(sent_count, 2);
}

static void how_it_ended_by_itself_is_told_as_a_shell_does(void **state)
{
    (void)state;
    begin(SUPERVISOR_RESTART);
    update("1");
    end(3, 0);
    assert_true(overs == 1 && how.code == 3 && !how.asked && !how.err.code);
    clean(NULL);
    begin(SUPERVISOR_RESTART);
    update("1");
    update("2"); /* a change that has not settled holds nothing up */
    end(-1, SIGTERM);
    assert_true(overs == 1 && how.code == 128 + SIGTERM && !how.asked);
    fake_loop_run(loop, 10 * SUPERVISOR_SETTLE_MS);
    assert_true(runs == 1 && overs == 1);
}

static void program_that_cannot_be_started_is_an_error_with_the_way_out(void **state)
{
    static const struct {
        int number;
        const char *says;
    } rows[] = {{ENOENT, "PATH"}, {E2BIG, "files"}, {EACCES, "Permission denied"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (i)
            clean(NULL);
        begin(SUPERVISOR_RESTART);
        update("1");
        guarded.on_ended(guarded.ctx, &(struct guard_end){.start_errno = rows[i].number, .code = -1});
        assert_true(overs == 1 && how.code == 1);
        assert_non_null(strstr(how.err.text, rows[i].says));
    }
}

static void end_takes_it_down_the_ladder(void **state)
{
    (void)state;
    begin(SUPERVISOR_RESTART);
    update("1");
    supervisor_stop(supervisor);
    supervisor_stop(supervisor);
    assert_true(sent_count == 1 && sent[0].signo == SIGUSR2 && overs == 0);
    fake_loop_run(loop, SUPERVISOR_GRACE_MS);
    assert_true(kills == 1 && sent_count == 2);
    end(-1, SIGKILL);
    assert_true(overs == 1 && how.asked && runs == 1);
}

static void end_during_a_restart_starts_nothing_any_more(void **state)
{
    (void)state;
    begin(SUPERVISOR_RESTART);
    update("1");
    update("2");
    fake_loop_run(loop, SUPERVISOR_SETTLE_MS);
    supervisor_stop(supervisor);
    end(0, 0);
    assert_true(runs == 1 && sent_count == 1 && overs == 1 && how.asked);
}

static void end_before_the_start_is_the_end(void **state)
{
    (void)state;
    begin(SUPERVISOR_RESTART);
    supervisor_stop(supervisor);
    assert_true(overs == 1 && how.asked);
    update("1");
    assert_int_equal(runs, 0);
}

static void signals_go_to_a_program_that_runs(void **state)
{
    (void)state;
    begin(SUPERVISOR_RESTART);
    supervisor_signal(supervisor, SIGWINCH, GUARD_PLAIN);
    assert_int_equal(sent_count, 0);
    update("1");
    supervisor_signal(supervisor, SIGHUP, GUARD_CAREFUL);
    assert_true(sent_count == 1 && sent[0].signo == SIGHUP && sent[0].manner == GUARD_CAREFUL);
}

static void guard_that_is_gone_is_the_end(void **state)
{
    (void)state;
    begin(SUPERVISOR_RESTART);
    guard_lost = true;
    update("1");
    assert_true(overs == 1 && how.code == 1 && how.err.code == ERR_SYSTEM);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(program_starts_at_once_with_the_first_environment),
        TEST(change_restarts_it_once_when_it_has_settled),
        TEST(changes_without_end_are_acted_upon_all_the_same),
        TEST(environment_that_is_the_old_one_again_restarts_nothing),
        TEST(who_does_not_end_in_time_is_killed_with_its_group),
        TEST(change_during_a_restart_goes_along_with_it),
        TEST(left_alone_it_keeps_running),
        TEST(signal_instead_of_a_restart_also_when_only_a_file_has_changed),
        TEST(how_it_ended_by_itself_is_told_as_a_shell_does),
        TEST(program_that_cannot_be_started_is_an_error_with_the_way_out),
        TEST(end_takes_it_down_the_ladder),
        TEST(end_during_a_restart_starts_nothing_any_more),
        TEST(end_before_the_start_is_the_end),
        TEST(signals_go_to_a_program_that_runs),
        TEST(guard_that_is_gone_is_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
