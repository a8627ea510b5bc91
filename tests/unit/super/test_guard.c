#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "super/environment.h"
#include "super/guard.h"

static struct loop *loop;
static struct guard *guard;
static struct err err;
static pid_t program;
static struct guard_end last;
static unsigned ends;

static void on_started(void *ctx, pid_t pid)
{
    (void)ctx;
    program = pid;
    loop_stop(loop);
}

static void on_ended(void *ctx, const struct guard_end *end)
{
    (void)ctx;
    last = *end;
    ends++;
    loop_stop(loop);
}

static int make(void **state)
{
    guard = NULL;
    loop = NULL;
    ends = 0;
    return folder_make(state);
}

static int clean(void **state)
{
    guard_free(guard);
    if (loop)
        loop_free(loop);
    return folder_remove(state);
}

static struct guard_options plain(const char *const *argv)
{
    return (struct guard_options){.argv = argv, .output = "", .error = "", .on_pipe = SIG_DFL};
}

static void begin(const struct guard_options *options)
{
    const struct guard_events events = {.on_started = on_started, .on_ended = on_ended};

    setenv("D", folder, 1);
    assert_int_equal(guard_start(options, &guard, &err), 0);
    loop = loop_new(&err);
    assert_non_null(loop);
    assert_int_equal(guard_attach(guard, loop, &events, &err), 0);
}

/* The program runs, or could not be started, when it returns. */
static void run(void)
{
    static const char *const names[] = {"SECRET"};
    struct environment *environment = environment_new(names, 1);
    int fd = -1;

    assert_int_equal(environment_set(environment, "SECRET", "opensesame", 10, &err), 0);
    assert_int_equal(environment_seal(environment, &fd, &err), 0);
    assert_int_equal(guard_run(guard, fd, &err), 0);
    close(fd);
    environment_free(environment);
    assert_int_equal(loop_run(loop, &err), 0);
}

static void begin_line(const char *line)
{
    const char *const argv[] = {"sh", "-c", line, NULL};
    const struct guard_options options = plain(argv);

    begin(&options);
    run();
}

/* As `exec` does with one word. */
static void begin_group(const char *line)
{
    const char *const argv[] = {"sh", "-c", line, NULL};
    struct guard_options options = plain(argv);

    options.group = true;
    begin(&options);
    run();
}

static void wait_end(void)
{
    while (!ends)
        assert_int_equal(loop_run(loop, &err), 0);
}

/* A FIFO of the folder: reading it waits until the program says something. */
static void make_fifo(const char *name)
{
    assert_int_equal(mkfifo(in_folder(name), 0600), 0);
}

static void hear(const char *name)
{
    int fd = open(in_folder(name), O_RDONLY | O_CLOEXEC);
    char text[64];

    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof(text)) > 0);
    close(fd);
}

/* -------------------------------------------------------------------------------------------------- as if not there */

static void program_has_our_environment_and_what_was_added(void **state)
{
    (void)state;
    setenv("OURS", "kept", 1);
    setenv("SECRET", "old", 1);
    begin_line("echo $OURS $SECRET $(env | grep -c ^SECRET=) > $D/env");
    wait_end();
    assert_file(in_folder("env"), "kept opensesame 1\n");
    assert_true(last.code == 0 && last.signo == 0 && last.start_errno == 0);
}

static void program_has_what_we_had_and_nothing_more(void **state)
{
    const char *const argv[] = {
        "sh", "-c", "ls -l /proc/self/fd | wc -l > $D/fds; cat > $D/input; umask > $D/umask; ulimit -c > $D/core", NULL};
    struct rlimit core = {0, 0};
    struct guard_options options = plain(argv);
    int input[2], saved = dup(STDIN_FILENO), other = open("/dev/null", O_RDONLY); /* `other` is not close-on-exec */

    (void)state;
    options.core = &core;
    assert_int_equal(pipe(input), 0);
    assert_int_equal(write(input[1], "typed", 5), 5);
    dup2(input[0], STDIN_FILENO);
    umask(027);
    begin(&options);
    close(input[1]);
    run();
    wait_end();
    umask(022);
    dup2(saved, STDIN_FILENO);
    close(saved), close(other), close(input[0]);
    assert_file(in_folder("input"), "typed");
    assert_file(in_folder("umask"), "0027\n");
    assert_file(in_folder("core"), "0\n");
    assert_file(in_folder("fds"), "5\n"); /* 0-2, the folder that is listed, and the line of the total */
}

/* A shell would set its mask anew. */
static void program_has_our_mask_and_what_we_ignored(void **state)
{
    const char *const argv[] = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL};
    struct guard_options options = plain(argv);
    sigset_t set;

    (void)state;
    options.on_pipe = SIG_IGN;
    options.output = in_folder("signals");
    for (int signo = 1; signo < SIGCHLD; signo++) /* who starts tests in the background ignores INT and QUIT */
        signal(signo, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGCHLD, SIG_IGN);
    begin(&options);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    run();
    wait_end();
    assert_file(in_folder("signals"), "SigBlk:\t0000000000000200\nSigIgn:\t0000000000011000\n");
}

static void output_goes_to_files_where_that_is_wished(void **state)
{
    const char *const argv[] = {"sh", "-c", "echo out; echo err >&2", NULL};
    struct guard_options options = plain(argv);

    (void)state;
    options.output = in_folder("out");
    options.error = in_folder("err");
    put_file(in_folder("out"), "before\n");
    begin(&options);
    run();
    wait_end();
    assert_file(in_folder("out"), "before\nout\n");
    assert_file(in_folder("err"), "err\n");
}

static void output_file_that_cannot_be_opened_is_told_before_anything_runs(void **state)
{
    const char *const argv[] = {"true", NULL};
    struct guard_options options = plain(argv);

    (void)state;
    options.error = "/no/such/folder/err";
    assert_int_equal(guard_start(&options, &guard, &err), -1);
    assert_non_null(strstr(err.text, "/no/such/folder/err"));
}

/* ------------------------------------------------------------------------------------------------------------- ends */

static void how_it_ended_is_told_and_it_can_run_again(void **state)
{
    (void)state;
    begin_line("exit 3");
    wait_end();
    assert_true(last.code == 3 && last.signo == 0);
    ends = 0;
    run();
    wait_end();
    assert_int_equal(last.code, 3);
}

static void program_that_is_not_there_is_told(void **state)
{
    const char *const argv[] = {"no-such-program-anywhere", NULL};
    const struct guard_options options = plain(argv);

    (void)state;
    begin(&options);
    run();
    assert_true(ends == 1 && last.start_errno == ENOENT);
}

static void program_is_not_started_without_its_variables(void **state)
{
    const char *const argv[] = {"sh", "-c", "echo ran >\"$D/ran\"", NULL};
    const struct guard_options options = plain(argv);
    int pipes[2];

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    begin(&options);
    assert_int_equal(guard_run(guard, pipes[0], &err), 0); /* holds no environment */
    assert_int_equal(loop_run(loop, &err), 0);
    assert_true(ends == 1 && last.start_errno == EINVAL);
    assert_int_equal(access(in_folder("ran"), F_OK), -1);
    close(pipes[0]);
    close(pipes[1]);
}

/* Reading ends when the last process that could write is gone. */
static void hear_the_end(int fd)
{
    char text[64];

    while (read(fd, text, sizeof(text)) > 0)
        continue;
    close(fd);
}

static void what_it_leaves_in_its_group_goes_with_it(void **state)
{
    (void)state;
    make_fifo("up");
    begin_line("exec >$D/up; sleep 600 & exit 4");
    hear_the_end(open(in_folder("up"), O_RDONLY | O_CLOEXEC));
    wait_end();
    assert_int_equal(last.code, 4);
}

static void guard_that_is_killed_takes_the_program_along(void **state)
{
    (void)state;
    make_fifo("up");
    begin_line("exec >$D/up; exec sleep 600");
    int up = open(in_folder("up"), O_RDONLY | O_CLOEXEC);

    assert_int_equal(kill(guard_pid(guard), SIGKILL), 0);
    hear_the_end(up);
    wait_end();
    assert_true(last.code == -1 && last.signo == SIGKILL);
    assert_int_equal(guard_run(guard, 0, &err), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
}

static void agent_that_goes_takes_the_program_along(void **state)
{
    (void)state;
    make_fifo("up");
    begin_line("exec >$D/up; exec sleep 600");
    int up = open(in_folder("up"), O_RDONLY | O_CLOEXEC);

    guard_free(guard);
    guard = NULL;
    hear_the_end(up);
}

/* ---------------------------------------------------------------------------------------------------------- signals */

static void signal_reaches_it(void **state)
{
    (void)state;
    make_fifo("up");
    begin_line("trap 'exit 7' USR1; echo up > $D/up; while :; do sleep 0.05; done");
    hear("up");
    assert_int_equal(guard_signal(guard, SIGUSR1, GUARD_PLAIN, &err), 0);
    wait_end();
    assert_int_equal(last.code, 7);
}

static void careful_signal_reaches_only_who_catches_it(void **state)
{
    (void)state;
    make_fifo("up");
    begin_line("trap 'exit 7' USR2; echo up > $D/up; while :; do sleep 0.05; done");
    hear("up");
    assert_int_equal(guard_signal(guard, SIGHUP, GUARD_CAREFUL, &err), 0); /* would end it */
    assert_int_equal(guard_signal(guard, SIGUSR2, GUARD_CAREFUL, &err), 0);
    wait_end();
    assert_int_equal(last.code, 7);
}

/* The shell is gone at once: who works for it is not cut short. */
static void all_of_a_group_that_is_stopped_may_end_as_it_wants(void **state)
{
    char text[8];

    (void)state;
    make_fifo("up");
    begin_group(
        "exec >$D/up; sh -c 'trap \"sleep 0.3; echo ended >$D/told; exit 0\" TERM; echo up; while :; do sleep 0.05; done'; true");
    int up = open(in_folder("up"), O_RDONLY | O_CLOEXEC);

    assert_true(read(up, text, sizeof(text)) > 0);
    assert_int_equal(guard_signal(guard, SIGTERM, GUARD_STOP, &err), 0);
    wait_end();
    assert_int_equal(last.signo, SIGTERM);
    assert_int_equal(access(in_folder("told"), F_OK), 0);
    close(up);
}

static void who_of_a_stopped_group_does_not_end_is_killed(void **state)
{
    char text[8];

    (void)state;
    make_fifo("up");
    begin_group("exec >$D/up; sh -c 'trap \"\" TERM; echo up; sleep 600'; true");
    int up = open(in_folder("up"), O_RDONLY | O_CLOEXEC);

    assert_true(read(up, text, sizeof(text)) > 0);
    assert_int_equal(guard_signal(guard, SIGTERM, GUARD_STOP, &err), 0);
    assert_int_equal(guard_signal(guard, SIGKILL, GUARD_KILL, &err), 0);
    hear_the_end(up);
    wait_end();
    assert_int_equal(last.code, -1);
}

static void killing_reaches_the_whole_group(void **state)
{
    char text[8];

    (void)state;
    make_fifo("up");
    begin_line("trap '' TERM; exec >$D/up; sleep 600 & echo up; wait; sleep 600");
    int up = open(in_folder("up"), O_RDONLY | O_CLOEXEC);

    assert_true(read(up, text, sizeof(text)) > 0);
    assert_int_equal(guard_signal(guard, SIGKILL, GUARD_KILL, &err), 0);
    hear_the_end(up);
    wait_end();
    assert_int_equal(last.signo, SIGKILL);
}

/* Its end comes out of no process of ours: orphans are reaped by the guard, and unseen. */
static void orphans_are_reaped_by_the_guard(void **state)
{
    (void)state;
    make_fifo("up");
    begin_line("(sh -c 'echo $$ > $D/orphan; exec sleep 0.05' &) ; "
               "while ! [ -s $D/orphan ]; do sleep 0.02; done; o=$(cat $D/orphan);"
               "awk '{print $4}' /proc/$o/stat > $D/parent 2>/dev/null;"
               "while [ -e /proc/$o ]; do sleep 0.02; done; echo gone > $D/gone");
    wait_end();
    assert_file(in_folder("gone"), "gone\n");
}

/* --------------------------------------------------------------------------------------------------------- terminal */

/* A session of its own on a pseudo terminal: the agent's side runs there, and the program has the foreground. */
static void program_has_the_terminal_and_its_keys(void **state)
{
    const char *const argv[] = {"sh", "-c", "trap 'exit 9' INT; echo ready; read line; exit 1", NULL};
    const struct guard_options options = plain(argv);
    char text[256];
    int master, status = 0;
    pid_t pid = forkpty(&master, NULL, NULL, NULL);

    (void)state;
    if (pid == 0) {
        begin(&options);
        run();
        wait_end();
        _exit(last.code);
    }
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        assert_int_equal(read(master, text + len, 1), 1);
        text[len + 1] = '\0';
        if (strstr(text, "ready"))
            break;
    }
    assert_int_equal(write(master, "\032\003", 2), 2); /* Ctrl-Z, with nobody who could continue it, then Ctrl-C */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(master);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 9);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(program_has_our_environment_and_what_was_added),
        TEST(program_has_what_we_had_and_nothing_more),
        TEST(program_has_our_mask_and_what_we_ignored),
        TEST(output_goes_to_files_where_that_is_wished),
        TEST(output_file_that_cannot_be_opened_is_told_before_anything_runs),
        TEST(how_it_ended_is_told_and_it_can_run_again),
        TEST(program_that_is_not_there_is_told),
        TEST(program_is_not_started_without_its_variables),
        TEST(what_it_leaves_in_its_group_goes_with_it),
        TEST(guard_that_is_killed_takes_the_program_along),
        TEST(agent_that_goes_takes_the_program_along),
        TEST(signal_reaches_it),
        TEST(careful_signal_reaches_only_who_catches_it),
        TEST(all_of_a_group_that_is_stopped_may_end_as_it_wants),
        TEST(who_of_a_stopped_group_does_not_end_is_killed),
        TEST(killing_reaches_the_whole_group),
        TEST(orphans_are_reaped_by_the_guard),
        TEST(program_has_the_terminal_and_its_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
