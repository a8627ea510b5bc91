#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "os/child.h"
#include "os/environ.h"

static struct loop *loop;
static struct launcher *launcher;
static struct err err;

/* The end of the last run. */
static struct launch_exit last;
static struct err reason;
static bool failed;

static const char *const plain_env[] = {"PATH=/usr/bin:/bin", "GREETING=hello", NULL};

static int setup(void **state)
{
    if (folder_make(state) < 0)
        return -1;
    launcher = launcher_new();
    return 0;
}

static int teardown(void **state)
{
    launcher_free(launcher);
    if (loop)
        loop_free(loop);
    loop = NULL;
    return folder_remove(state);
}

/* A shell line as a program; the test's folder is $D. */
static unsigned add_line(const char *line)
{
    char where[128];
    const char *const env[] = {"PATH=/usr/bin:/bin", where, NULL};
    unsigned program = 0;

    snprintf(where, sizeof(where), "D=%s", folder);
    assert_int_equal(launcher_add(launcher, (const char *const[]){"sh", "-c", line, NULL}, env, &program, &err), 0);
    return program;
}

static void start_launcher(const struct rlimit *core)
{
    assert_int_equal(launcher_start(launcher, core, &err), 0);
    loop = loop_new(&err);
    assert_non_null(loop);
    assert_int_equal(launcher_attach(launcher, loop, &err), 0);
}

static void on_done(void *ctx, const struct launch_exit *exit, const struct err *why)
{
    (void)ctx;
    last = *exit;
    failed = why != NULL;
    if (why)
        reason = *why;
    loop_stop(loop);
}

static void run(unsigned program, int64_t timeout_ms)
{
    struct child *child;

    assert_int_equal(child_start(loop, launcher, program, timeout_ms, on_done, NULL, &child, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
}

static void success_is_exit_code_zero(void **state)
{
    unsigned program = add_line("exit 0");

    (void)state;
    start_launcher(NULL);
    run(program, 30000);
    assert_false(failed);
    assert_int_equal(last.code, 0);
}

static void failure_names_the_exit_code(void **state)
{
    unsigned program = add_line("exit 3");

    (void)state;
    start_launcher(NULL);
    run(program, 0);
    assert_true(failed);
    assert_string_equal(reason.text, "\"sh\": exit code 3");
}

static void program_that_is_not_there_is_named(void **state)
{
    unsigned program = 0;

    (void)state;
    assert_int_equal(launcher_add(launcher, (const char *const[]){"no-such-program", "secret", NULL}, plain_env, &program, &err), 0);
    start_launcher(NULL);
    run(program, 30000);
    assert_int_equal(last.start_errno, ENOENT);
    assert_non_null(strstr(reason.text, "\"no-such-program\": not found"));
    assert_null(strstr(reason.text, "secret"));
}

static void same_program_has_the_same_number(void **state)
{
    unsigned a = add_line("exit 0"), b = add_line("exit 1"), c = add_line("exit 0");

    (void)state;
    assert_int_equal(a, c);
    assert_int_not_equal(a, b);
    assert_int_equal(launcher_count(launcher), 2);
}

static void program_gets_its_environment_and_nothing_else(void **state)
{
    unsigned program = add_line("env | grep -v '^\\(PWD\\|SHLVL\\|_\\)=' | sort > $D/env");
    char expected[256];

    (void)state;
    setenv("LEAK", "secret", 1);
    start_launcher(NULL);
    run(program, 30000);
    snprintf(expected, sizeof(expected), "D=%s\nPATH=/usr/bin:/bin\n", folder);
    assert_file(in_folder("env"), expected);
}

static void program_gets_descriptors_0_to_2_and_an_empty_input(void **state)
{
    unsigned program = add_line("cat; for n in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && echo $n >> $D/fds; done; echo end >> $D/fds");
    int other;

    (void)state;
    other = open("/dev/null", O_RDONLY); /* not close-on-exec */
    start_launcher(NULL);
    run(program, 30000);
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
    run(program, 30000);
    assert_false(failed);
    assert_file(in_folder("core"), "1024\n");
}

/* The one that ignores SIGTERM holds a FIFO open for writing: its end is our end of file. */
static void program_that_hangs_and_forks_leaves_nothing_after_its_time(void **state)
{
    unsigned program = add_line("(trap '' TERM; exec 3>$D/fifo; echo up >&3; cat $D/never) & wait");
    struct child *child;
    char text[8];
    int fd;

    (void)state;
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(mkfifo(in_folder("never"), 0600), 0);
    start_launcher(NULL);
    assert_int_equal(child_start(loop, launcher, program, 300, on_done, NULL, &child, &err), 0);
    fd = open(in_folder("fifo"), O_RDONLY);
    assert_int_equal(read(fd, text, sizeof(text)), 3);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_true(failed);
    assert_non_null(strstr(reason.text, "did not end within 1 s"));
    assert_int_equal(read(fd, text, sizeof(text)), 0);
    close(fd);
}

static void signal_reaches_the_group(void **state)
{
    unsigned program = add_line("kill -USR1 $$");
    struct child *child;

    (void)state;
    start_launcher(NULL);
    run(program, 30000);
    assert_int_equal(last.signo, SIGUSR1);
    assert_non_null(strstr(reason.text, "ended by signal"));
    assert_int_equal(child_start(loop, launcher, program, 0, on_done, NULL, &child, &err), 0);
    assert_int_equal(child_signal(child, SIGKILL, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_true(failed);
}

/* The program's end closes the FIFO that it holds open for writing. */
static void child_that_is_freed_is_killed_and_stays_silent(void **state)
{
    unsigned program = add_line("exec 3>$D/fifo; echo up >&3; exec cat $D/never");
    unsigned other = add_line("exit 0");
    struct child *child;
    char text[8];
    int fd;

    (void)state;
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(mkfifo(in_folder("never"), 0600), 0);
    start_launcher(NULL);
    assert_int_equal(child_start(loop, launcher, program, 0, on_done, NULL, &child, &err), 0);
    fd = open(in_folder("fifo"), O_RDONLY);
    assert_int_equal(read(fd, text, sizeof(text)), 3);
    child_free(child);
    assert_int_equal(read(fd, text, sizeof(text)), 0);
    close(fd);
    run(other, 30000);
    assert_int_equal(last.code, 0);
}

static void detached_program_tells_only_that_it_runs(void **state)
{
    unsigned program = add_line("exec 3>$D/fifo; echo up >&3; read go < $D/gate; echo on >&3; exit 3"), missing = 0;
    struct child *child;
    char text[8];
    int fd, gate;

    (void)state;
    assert_int_equal(launcher_add(launcher, (const char *const[]){"/no/such/program", NULL}, plain_env, &missing, &err), 0);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(mkfifo(in_folder("gate"), 0600), 0);
    start_launcher(NULL);
    assert_int_equal(child_start(loop, launcher, missing, 0, on_done, NULL, &child, &err), 0);
    child_detach(child);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_true(failed);
    assert_int_equal(last.start_errno, ENOENT);
    assert_int_equal(child_start(loop, launcher, program, 0, on_done, NULL, &child, &err), 0);
    child_detach(child);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_false(failed);
    fd = open(in_folder("fifo"), O_RDONLY);
    assert_int_equal(read(fd, text, sizeof(text)), 3);
    launcher_free(steal(launcher));
    gate = open(in_folder("gate"), O_WRONLY);
    assert_int_equal(write(gate, "go\n", 3), 3);
    assert_int_equal(read(fd, text, sizeof(text)), 3);
    close(gate);
    close(fd);
}

static void end_of_the_agent_ends_what_runs(void **state)
{
    unsigned program = add_line("exec 3>$D/fifo; echo up >&3; exec cat $D/never");
    struct child *child;
    char text[8];
    int fd;

    (void)state;
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(mkfifo(in_folder("never"), 0600), 0);
    start_launcher(NULL);
    assert_int_equal(child_start(loop, launcher, program, 0, on_done, NULL, &child, &err), 0);
    fd = open(in_folder("fifo"), O_RDONLY);
    assert_int_equal(read(fd, text, sizeof(text)), 3);
    child_free(child);
    launcher_free(launcher);
    launcher = NULL;
    assert_int_equal(read(fd, text, sizeof(text)), 0);
    close(fd);
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

static void on_end(void *ctx, const struct launch_exit *exit)
{
    (void)ctx, (void)exit;
    loop_stop(loop);
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
        assert_int_equal(launch(launcher, program, on_end, NULL, &run, &err), 0);
    assert_int_equal(launch(launcher, program, on_end, NULL, &run, &err), -1);
    assert_int_equal(err.code, ERR_RETRY);
    snprintf(says, sizeof(says), "\"/bin/cat\": %d programs run already", LIMIT_CHILDREN);
    assert_string_equal(err.text, says);
    assert_int_equal(launch_signal(launcher, run, SIGKILL, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(launch(launcher, program, on_end, NULL, &run, &err), 0);
}

static void tokens_leave_the_environment_and_its_memory(void **state)
{
    static char first[] = "VAULT_TOKEN=one", other[] = "VAULT_TOKENS=kept", second[] = "VAULT_TOKEN=two", bao[] = "BAO_TOKEN=three";
    static char bare[] = "BAO_TOKEN\0behind";
    char *made[] = {first, other, second, bao, bare, NULL}, **before = environ;

    (void)state;
    environ = made;
    environ_forget_tokens();
    assert_ptr_equal(environ[0], other);
    assert_ptr_equal(environ[1], bare);
    assert_null(environ[2]);
    environ = before;
    assert_string_equal(other, "VAULT_TOKENS=kept");
    assert_string_equal(bare + sizeof("BAO_TOKEN"), "behind");
    for (size_t i = 0; i < sizeof("one"); i++)
        assert_true(!first[strlen("VAULT_TOKEN=") + i] && !second[strlen("VAULT_TOKEN=") + i]);
    for (size_t i = 0; i < sizeof("three"); i++)
        assert_int_equal(bao[strlen("BAO_TOKEN=") + i], 0);
}

static void environment_is_built_without_tokens(void **state)
{
    const char *const base[] = {"A=1", "VAULT_TOKEN=s.x", "B=2", "BAO_TOKEN=s.y", "SECRET=3", "AB=4", NULL};
    const char **made = environ_build(base, (const char *const[]){"SECRET", NULL}, (const char *const[]){"A=9", "C=5", NULL});

    (void)state;
    assert_string_equal(made[0], "B=2");
    assert_string_equal(made[1], "AB=4");
    assert_string_equal(made[2], "A=9");
    assert_string_equal(made[3], "C=5");
    assert_null(made[4]);
    environ_free(made);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(success_is_exit_code_zero),
        in_a_folder(failure_names_the_exit_code),
        in_a_folder(program_that_is_not_there_is_named),
        in_a_folder(same_program_has_the_same_number),
        in_a_folder(program_gets_its_environment_and_nothing_else),
        in_a_folder(program_gets_descriptors_0_to_2_and_an_empty_input),
        in_a_folder(program_runs_with_the_given_core_limit_in_its_own_group),
        in_a_folder(program_that_hangs_and_forks_leaves_nothing_after_its_time),
        in_a_folder(signal_reaches_the_group),
        in_a_folder(child_that_is_freed_is_killed_and_stays_silent),
        in_a_folder(detached_program_tells_only_that_it_runs),
        in_a_folder(end_of_the_agent_ends_what_runs),
        in_a_folder(more_commands_than_allowed_are_refused),
        in_a_folder(no_more_programs_run_at_a_time_than_allowed),
        cmocka_unit_test(environment_is_built_without_tokens),
        cmocka_unit_test(tokens_leave_the_environment_and_its_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
