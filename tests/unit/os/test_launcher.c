#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/launched.h"

#include <errno.h>
#include <signal.h>

#include "base/limits.h"

static struct launch_exit last; /* the end of the last run */
static unsigned ends;

static int set_up(void **state)
{
    ends = 0;
    return setup(state);
}

static void on_end(void *ctx, const struct launch_exit *exit)
{
    (void)ctx;
    last = *exit;
    ends++;
    loop_stop(loop);
}

static void run(unsigned program)
{
    uint32_t number;

    assert_int_equal(launch(launcher, program, -1, on_end, NULL, &number, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
}

/* -------------------------------------------------------------------------------------------------------- the table */

static void same_program_has_the_same_number(void **state)
{
    unsigned a = add_line("exit 0"), b = add_line("exit 1"), c = add_line("exit 0");

    (void)state;
    assert_int_equal(a, c);
    assert_int_not_equal(a, b);
    assert_int_equal(launcher_count(launcher), 2);
}

static void program_without_a_name_is_refused(void **state)
{
    unsigned program = 0;

    (void)state;
    assert_int_equal(launcher_add(launcher, (const char *const[]){"", NULL}, plain_env, &program, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_int_equal(launcher_count(launcher), 0);
}

static void same_program_with_another_environment_is_another(void **state)
{
    const char *const argv[] = {"/bin/true", NULL}, *const less[] = {"PATH=/usr/bin:/bin", NULL};
    unsigned a = 0, b = 0;

    (void)state;
    assert_int_equal(launcher_add(launcher, argv, plain_env, &a, &err), 0);
    assert_int_equal(launcher_add(launcher, argv, less, &b, &err), 0);
    assert_int_not_equal(a, b);
    assert_string_equal(launcher_name(launcher, b), "/bin/true");
}

static void more_commands_than_allowed_are_refused(void **state)
{
    char line[16], says[80];
    const char *const argv[] = {line, NULL};
    unsigned program;

    (void)state;
    for (int i = 0; i <= LIMIT_PROGRAMS; i++) {
        snprintf(line, sizeof(line), "%d", i);
        assert_int_equal(launcher_add(launcher, argv, plain_env, &program, &err), i < LIMIT_PROGRAMS ? 0 : -1);
    }
    assert_int_equal(err.code, ERR_LIMIT);
    snprintf(says, sizeof(says), "\"%s\": more than %d commands", line, LIMIT_PROGRAMS);
    assert_string_equal(err.text, says);
    assert_int_equal(launcher_count(launcher), LIMIT_PROGRAMS);
}

/* ------------------------------------------------------------------------------------------------------------- runs */

static void program_gets_its_environment_and_nothing_else(void **state)
{
    unsigned program = add_line("env | grep -v '^\\(PWD\\|SHLVL\\|_\\)=' | sort > $D/env");
    char expected[256];

    (void)state;
    setenv("LEAK", "secret", 1);
    start_launcher(NULL);
    run(program);
    snprintf(expected, sizeof(expected), "D=%s\nPATH=/usr/bin:/bin\n", folder);
    assert_file(in_folder("env"), expected);
}

static void program_gets_descriptors_0_to_2_and_an_empty_input(void **state)
{
    unsigned program =
        add_line("cat; for n in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && echo $n >> $D/fds; done; echo end >> $D/fds");
    int other;

    (void)state;
    other = open("/dev/null", O_RDONLY); /* not close-on-exec */
    start_launcher(NULL);
    run(program);
    close(other);
    assert_file(in_folder("fds"), "end\n");
}

static void program_runs_with_the_given_core_limit_in_its_own_group(void **state)
{
    unsigned program = add_line("ulimit -c > $D/core; test $(ps -o pgid= -p $$) = $$");
    struct rlimit core = {1024 * 512, 1024 * 512}, zero;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_CORE, &zero), 0);
    if (zero.rlim_max < core.rlim_max)
        skip();
    start_launcher(&core);
    run(program);
    assert_int_equal(last.code, 0);
    assert_file(in_folder("core"), "1024\n");
}

static void no_more_programs_run_at_a_time_than_allowed(void **state)
{
    const char *const cat[] = {"/bin/cat", in_folder("never"), NULL};
    char says[64];
    unsigned program = 0;
    uint32_t run;

    (void)state;
    assert_int_equal(mkfifo(in_folder("never"), 0600), 0);
    assert_int_equal(launcher_add(launcher, cat, plain_env, &program, &err), 0);
    start_launcher(NULL);
    for (int i = 0; i < LIMIT_CHILDREN; i++)
        assert_int_equal(launch(launcher, program, -1, on_end, NULL, &run, &err), 0);
    assert_int_equal(launch(launcher, program, -1, on_end, NULL, &run, &err), -1);
    assert_int_equal(err.code, ERR_RETRY);
    snprintf(says, sizeof(says), "\"/bin/cat\": %d programs run already", LIMIT_CHILDREN);
    assert_string_equal(err.text, says);
    assert_int_equal(launch_signal(launcher, run, SIGKILL, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(launch(launcher, program, -1, on_end, NULL, &run, &err), 0);
}

static void how_it_ended_is_told_once(void **state)
{
    unsigned three = add_line("exit 3"), killed = add_line("kill -TERM $$"), missing = 0;

    (void)state;
    assert_int_equal(launcher_add(launcher, (const char *const[]){"/no/such/program", NULL}, plain_env, &missing, &err), 0);
    assert_int_equal(launcher_pid(launcher), 0);
    start_launcher(NULL);
    assert_true(launcher_pid(launcher) > 0);
    run(three);
    assert_true(last.start_errno == 0 && last.code == 3 && last.signo == 0);
    run(killed);
    assert_true(last.start_errno == 0 && last.code == -1 && last.signo == SIGTERM);
    run(missing);
    assert_int_equal(last.start_errno, ENOENT);
    assert_int_equal(ends, 3);
}

static void what_was_forgotten_is_not_told(void **state)
{
    unsigned forgotten = add_line("exit 3"), other = add_line("exit 4");
    uint32_t number;

    (void)state;
    start_launcher(NULL);
    assert_int_equal(launch(launcher, forgotten, -1, on_end, NULL, &number, &err), 0);
    launch_forget(launcher, number);
    run(other);
    assert_int_equal(last.code, 4);
    assert_int_equal(ends, 1);
}

static void a_run_that_is_over_can_be_signalled_in_vain(void **state)
{
    unsigned program = add_line("exit 0");
    uint32_t number;

    (void)state;
    start_launcher(NULL);
    assert_int_equal(launch(launcher, program, -1, on_end, NULL, &number, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(launch_signal(launcher, number, SIGTERM, &err), 0);
}

/* A launcher that is gone (killed, out of memory) ends every run, and says so of the next. What it started is let go by its
 * input's end. */
static void launcher_that_is_gone_is_an_error_of_every_run(void **state)
{
    unsigned program = add_line("exec 3<$D/input; echo up >$D/up; exec cat <&3");
    uint32_t number;
    char text[8];
    int input, up;

    (void)state;
    assert_int_equal(mkfifo(in_folder("input"), 0600) | mkfifo(in_folder("up"), 0600), 0);
    start_launcher(NULL);
    input = open(in_folder("input"), O_RDWR | O_CLOEXEC);
    assert_int_equal(launch(launcher, program, -1, on_end, NULL, &number, &err), 0);
    up = open(in_folder("up"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(up, text, sizeof(text)), 3);
    assert_int_equal(kill(launcher_pid(launcher), SIGKILL), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_true(ends == 1 && last.code == -1 && last.signo == SIGKILL);
    assert_int_equal(launch(launcher, program, -1, on_end, NULL, &number, &err), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    close(up);
    close(input);
}

/* --------------------------------------------------------------------------------------------- programs of any name */

static void any_program_runs_only_where_that_was_allowed(void **state)
{
    const char *const argv[] = {"/bin/true", NULL};
    uint32_t number;

    (void)state;
    add_line("exit 0");
    start_launcher(NULL);
    assert_int_equal(launch_any(launcher, argv, STDOUT_FILENO, on_end, NULL, &number, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
}

static void any_program_prints_into_the_descriptor_with_the_environment_it_was_allowed(void **state)
{
    const char *const argv[] = {"sh", "-c", "echo $GREETING $1", "sh", "two words", NULL};
    uint32_t number;
    int output;

    (void)state;
    launcher_allow(launcher, plain_env);
    start_launcher(NULL);
    output = open(in_folder("output"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(launch_any(launcher, argv, output, on_end, NULL, &number, &err), 0);
    close(output);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(last.code, 0);
    assert_file(in_folder("output"), "hello two words\n");
}

/* LIMIT_LAUNCH_BYTES, each argument with its 0. */
static void arguments_of_any_program_are_bounded(void **state)
{
    static char text[LIMIT_LAUNCH_BYTES];
    const char *const argv[] = {"true", text, NULL};
    uint32_t number;

    (void)state;
    launcher_allow(launcher, plain_env);
    start_launcher(NULL);
    memset(text, 'x', LIMIT_LAUNCH_BYTES - sizeof("true") - 1);
    assert_int_equal(launch_any(launcher, argv, STDOUT_FILENO, on_end, NULL, &number, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(last.code, 0);
    text[strlen(text)] = 'x';
    assert_int_equal(launch_any(launcher, argv, STDOUT_FILENO, on_end, NULL, &number, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

/* ------------------------------------------------------------------------------------ programs that are added later */

/* What the source says is in a file, which both ends read. */
static int read_source(void *ctx, struct program_table *table, struct err *cause)
{
    const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    char line[64] = "";
    FILE *file = fopen(in_folder("source"), "re");
    unsigned program;

    (void)ctx;
    if (!file)
        return err_set(cause, ERR_MISSING, "no source");
    if (!fgets(line, sizeof(line), file))
        line[0] = '\0';
    fclose(file);
    return program_table_add(table, (const char *const[]){"sh", "-c", line, NULL}, env, &program, cause);
}

static unsigned add_again(const char *line)
{
    const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    unsigned program = 0;

    assert_int_equal(launcher_add(launcher, (const char *const[]){"sh", "-c", line, NULL}, env, &program, &err), 0);
    return program;
}

static int learn(void)
{
    uint32_t number;

    ends = 0;
    assert_int_equal(launcher_learn(launcher, on_end, NULL, &number, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(ends, 1);
    return last.start_errno;
}

static void programs_are_learned_from_the_source_alone(void **state)
{
    unsigned program;

    (void)state;
    launcher_source(launcher, read_source, NULL);
    add_line("exit 3");
    start_launcher(NULL);
    put_file(in_folder("source"), "exit 5");
    program = add_again("exit 5");
    assert_false(launcher_learned(launcher));
    assert_int_equal(learn(), 0);
    assert_true(launcher_learned(launcher));
    run(program);
    assert_int_equal(last.code, 5);
    /* What an agent alone says is no program. */
    program = add_again("exit 6");
    assert_int_equal(learn(), ESTALE);
    run(program);
    assert_int_equal(last.start_errno, EAGAIN);
    launcher_unlearn(launcher);
    assert_true(launcher_learned(launcher));
    /* And what was learned before is one still. */
    run(1);
    assert_int_equal(last.code, 5);
    assert_int_equal(unlink(in_folder("source")), 0);
    add_again("exit 7");
    assert_int_equal(learn(), ESTALE);
}

static void nothing_is_learned_without_a_source_or_after_the_seal(void **state)
{
    (void)state;
    launcher_source(launcher, read_source, NULL);
    add_line("exit 3");
    start_launcher(NULL);
    put_file(in_folder("source"), "exit 5");
    launcher_seal(launcher);
    add_again("exit 5");
    assert_int_equal(learn(), EPERM);
    run(0);
    assert_int_equal(last.code, 3);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, set_up, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(same_program_has_the_same_number),
        in_a_folder(program_without_a_name_is_refused),
        in_a_folder(same_program_with_another_environment_is_another),
        in_a_folder(more_commands_than_allowed_are_refused),
        in_a_folder(program_gets_its_environment_and_nothing_else),
        in_a_folder(program_gets_descriptors_0_to_2_and_an_empty_input),
        in_a_folder(program_runs_with_the_given_core_limit_in_its_own_group),
        in_a_folder(no_more_programs_run_at_a_time_than_allowed),
        in_a_folder(how_it_ended_is_told_once),
        in_a_folder(what_was_forgotten_is_not_told),
        in_a_folder(a_run_that_is_over_can_be_signalled_in_vain),
        in_a_folder(launcher_that_is_gone_is_an_error_of_every_run),
        in_a_folder(any_program_runs_only_where_that_was_allowed),
        in_a_folder(any_program_prints_into_the_descriptor_with_the_environment_it_was_allowed),
        in_a_folder(arguments_of_any_program_are_bounded),
        in_a_folder(programs_are_learned_from_the_source_alone),
        in_a_folder(nothing_is_learned_without_a_source_or_after_the_seal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
