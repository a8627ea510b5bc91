#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tools/terminal.h"

#define REFUSED 7

/* Somebody at a pseudo terminal, and a program that asks there. Its error output is `said`, where there is no room for its
 * question yet. */
static struct {
    int master, said;
    pid_t pid;
} person;

static void fill(int pipe_end)
{
    static const char blanks[4096] = "";

    assert_int_equal(fcntl(pipe_end, F_SETFL, O_NONBLOCK), 0);
    while (write(pipe_end, blanks, sizeof(blanks)) > 0)
        ;
    assert_int_equal(fcntl(pipe_end, F_SETFL, 0), 0);
}

static _Noreturn void ask(const char *terminal, int said)
{
    struct buf typed = {0};
    struct err err;
    int fd, status;

    alarm(60); /* waiting for ever would be the fault */
    setsid();
    fd = open(terminal, O_RDWR); /* the first one that a new session opens is its own */
    dup2(fd, STDIN_FILENO);
    dup2(said, STDERR_FILENO);
    status = terminal_ask_secret("Password: ", &typed, &err);
    status = status != 0 ? REFUSED : strcmp(typed.data, "hunter2") == 0 ? 0 : 1;
    buf_done(&typed);
    _exit(status);
}

static bool echo(void)
{
    struct termios now;

    assert_int_equal(tcgetattr(person.master, &now), 0);
    return now.c_lflag & ECHO;
}

static void sit_down(void)
{
    int ends[2];

    person.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(person.master >= 0 && grantpt(person.master) == 0 && unlockpt(person.master) == 0);
    assert_int_equal(pipe(ends), 0);
    fill(ends[1]);
    person.said = ends[0];
    person.pid = fork();
    if (person.pid == 0)
        ask(ptsname(person.master), ends[1]);
    close(ends[1]);
    while (echo())
        sched_yield();
}

/* From now on there is room for the question; how it ends. */
static int answer(void)
{
    char said[4096];
    int status;

    while (read(person.said, said, sizeof(said)) > 0)
        ;
    assert_int_equal(waitpid(person.pid, &status, 0), person.pid);
    assert_true(echo());
    close(person.said);
    close(person.master);
    return status;
}

static void type(const char *text)
{
    assert_int_equal(write(person.master, text, strlen(text)), (ssize_t)strlen(text));
}

static void what_is_typed_is_a_line_without_its_end(void **state)
{
    (void)state;
    sit_down();
    type("hunter2\n");
    assert_int_equal(answer(), 0);
}

/* Before the first byte is waited for, it would be slept through. */
static void an_interrupt_before_it_waits_is_not_lost(void **state)
{
    int status;

    (void)state;
    sit_down();
    type("\x03");
    status = answer();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), REFUSED);
}

static void a_signal_ends_it_as_it_would_have(void **state)
{
    int status;

    (void)state;
    sit_down();
    kill(person.pid, SIGTERM);
    status = answer();
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_typed_is_a_line_without_its_end),
        cmocka_unit_test(an_interrupt_before_it_waits_is_not_lost),
        cmocka_unit_test(a_signal_ends_it_as_it_would_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
