#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/launched.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "os/child.h"

/* The end of the last run. */
static struct launch_exit last;
static struct err reason;
static bool failed;

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
    assert_int_equal(launcher_add(launcher, (const char *const[]){"no-such-program", "secret", NULL}, plain_env, &program, &err),
                     0);
    start_launcher(NULL);
    run(program, 30000);
    assert_int_equal(last.start_errno, ENOENT);
    assert_non_null(strstr(reason.text, "\"no-such-program\": not found"));
    assert_null(strstr(reason.text, "secret"));
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

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(success_is_exit_code_zero),
        in_a_folder(failure_names_the_exit_code),
        in_a_folder(program_that_is_not_there_is_named),
        in_a_folder(program_that_hangs_and_forks_leaves_nothing_after_its_time),
        in_a_folder(signal_reaches_the_group),
        in_a_folder(child_that_is_freed_is_killed_and_stays_silent),
        in_a_folder(detached_program_tells_only_that_it_runs),
        in_a_folder(end_of_the_agent_ends_what_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
