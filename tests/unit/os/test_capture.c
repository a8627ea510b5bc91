#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/capture.h"

static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
static struct loop *loop;
static struct launcher *launcher;
static struct err err, reason;
static char got[64];
static unsigned added;

static int setup(void **state)
{
    (void)state;
    launcher = launcher_new();
    launcher_allow(launcher, environment);
    if (launcher_add(launcher, (const char *const[]){"printf", "added", NULL}, environment, &added, &err) != 0)
        return -1;
    if (launcher_start(launcher, NULL, &err) != 0)
        return -1;
    loop = loop_new(&err);
    return launcher_attach(launcher, loop, &err);
}

static int teardown(void **state)
{
    (void)state;
    launcher_free(launcher);
    loop_free(loop);
    return 0;
}

static void on_done(void *ctx, const struct buf *output, const struct err *failure)
{
    (void)ctx;
    reason.code = ERR_NONE;
    if (failure)
        reason = *failure;
    snprintf(got, sizeof(got), "%s", output->data);
    loop_stop(loop);
}

static void run(const char *line, size_t max, int64_t timeout_ms)
{
    struct capture *capture;

    assert_int_equal(capture_start(loop, launcher, (const char *const[]){"sh", "-c", line, NULL}, max, timeout_ms, on_done, NULL,
                                   &capture, &err),
                     0);
    assert_int_equal(loop_run(loop, &err), 0);
}

static void output_is_collected_to_its_end(void **state)
{
    (void)state;
    run("printf one; printf two", 100, 10000);
    assert_int_equal(reason.code, ERR_NONE);
    assert_string_equal(got, "onetwo");
    run("exit 4", 100, 10000);
    assert_string_equal(reason.text, "exec \"sh\": exit status 4");
}

static void a_program_of_the_launcher_is_named_by_number(void **state)
{
    struct capture *capture;

    (void)state;
    assert_int_equal(capture_program(loop, launcher, added, 100, 10000, on_done, NULL, &capture, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(reason.code, ERR_NONE);
    assert_string_equal(got, "added");
}

static void left_over_child_is_not_waited_for(void **state)
{
    (void)state;
    run("sleep 3 & printf done", 100, 10000);
    assert_int_equal(reason.code, ERR_NONE);
    assert_string_equal(got, "done");
}

static void too_slow_and_too_much_are_ended(void **state)
{
    (void)state;
    run("sleep 60", 100, 100);
    assert_non_null(strstr(reason.text, "did not end within 1 s"));
    run("exec yes", 100, 10000);
    assert_non_null(strstr(reason.text, "printed more than 100 bytes"));
}

static void arguments_arrive_as_they_are_up_to_a_limit(void **state)
{
    _cleanup_free_ char *much = mem_alloc(LIMIT_LAUNCH_BYTES + 1);
    const char *argv[] = {"printf", "<%s>", "", "a b\n$x", NULL};
    struct capture *capture;

    (void)state;
    assert_int_equal(capture_start(loop, launcher, argv, 100, 10000, on_done, NULL, &capture, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_string_equal(got, "<><a b\n$x>");
    memset(much, 'x', LIMIT_LAUNCH_BYTES);
    argv[2] = much;
    assert_int_equal(capture_start(loop, launcher, argv, 100, 10000, on_done, NULL, &capture, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static bool holds(int memory, unsigned long from, unsigned long to, const char *text)
{
    char *copy = mem_alloc(to - from);
    ssize_t len = pread(memory, copy, to - from, (off_t)from);
    bool found = len > 0 && memmem(copy, (size_t)len, text, strlen(text));

    mem_free(copy);
    return found;
}

/* In what the launcher may write to; the shadow of a sanitizer is too large to be looked through, and no copy of ours. */
static bool launcher_holds(const char *text)
{
    unsigned long from, to, most = 16ul << 20;
    char path[64], line[512], mode[8];
    bool found = false;
    int memory;
    FILE *maps;

    snprintf(path, sizeof(path), "/proc/%d/mem", (int)launcher_pid(launcher));
    memory = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(memory >= 0);
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)launcher_pid(launcher));
    maps = fopen(path, "r");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps))
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 && strncmp(mode, "rw", 2) == 0 && to - from <= most)
            found |= holds(memory, from, to, text);
    fclose(maps);
    close(memory);
    return found;
}

static void launcher_keeps_no_arguments(void **state)
{
    char line[64], mark[32];

    (void)state;
    snprintf(mark, sizeof(mark), "mark-%d-of-a-run",
             (int)launcher_pid(launcher)); /* made after the fork, so that no copy of it is a copy of ours */
    snprintf(line, sizeof(line), "echo %s", mark);
    run(line, 1000, 10000);
    assert_int_equal(strncmp(got, mark, strlen(mark)), 0);
    assert_false(launcher_holds(mark));
    assert_true(launcher_holds("PATH=/usr/bin:/bin")); /* it does look */
}

static void stopped_run_calls_nobody(void **state)
{
    struct capture *capture;

    (void)state;
    assert_int_equal(
        capture_start(loop, launcher, (const char *const[]){"sleep", "60", NULL}, 100, 10000, on_done, NULL, &capture, &err), 0);
    capture_free(capture);
    run("printf next", 100, 10000);
    assert_string_equal(got, "next");
}

static void nothing_runs_unless_it_was_allowed(void **state)
{
    struct launcher *strict = launcher_new();
    struct capture *capture;

    (void)state;
    assert_int_equal(launcher_start(strict, NULL, &err), 0);
    assert_int_equal(capture_start(loop, strict, (const char *const[]){"true", NULL}, 100, 10000, on_done, NULL, &capture, &err),
                     -1);
    assert_int_equal(err.code, ERR_DENIED);
    launcher_free(strict);
}

#define with_launcher(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_launcher(output_is_collected_to_its_end),
        with_launcher(left_over_child_is_not_waited_for),
        with_launcher(a_program_of_the_launcher_is_named_by_number),
        with_launcher(left_over_child_is_not_waited_for),
        with_launcher(too_slow_and_too_much_are_ended),
        with_launcher(arguments_arrive_as_they_are_up_to_a_limit),
        with_launcher(launcher_keeps_no_arguments),
        with_launcher(stopped_run_calls_nobody),
        with_launcher(nothing_runs_unless_it_was_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
