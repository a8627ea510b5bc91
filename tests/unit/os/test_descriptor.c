#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/descriptor.h"
#include "without.h"

enum { FIRST = 20, HIGH = 1000 };

/* What the kernel lacks, and what is still kept. */
static const struct row {
    unsigned call, number;
    bool no_proc, sure;
} rows[] = {
    {0, 0, false, true},
    {SYS_close_range, ENOSYS, false, true}, /* before Linux 5.9 */
    {SYS_close_range, EINVAL, false, true}, /* before 5.11: the flag is not known */
    {SYS_close_range, EPERM, false, true},  /* an old container runtime */
    {SYS_close_range, ENOSYS, true, false},
};

static int prepare(const struct row *row)
{
    int null = open("/dev/null", O_RDONLY);

    if (dup2(null, FIRST) != FIRST || dup2(null, HIGH) != HIGH)
        return -1;
    if (row->number && without_call(row->call, row->number) < 0)
        return -1;
    return row->no_proc ? without_call(SYS_openat, ENOENT) : 0;
}

static int closes(const struct row *row)
{
    if (prepare(row) < 0 || descriptors_close(FIRST + 1) != row->sure)
        return 1;
    return fcntl(FIRST, F_GETFD) == 0 && fcntl(HIGH, F_GETFD) == -1 ? 0 : 2;
}

static int closes_on_exec(const struct row *row)
{
    if (prepare(row) < 0 || descriptors_close_on_exec(FIRST + 1) != row->sure)
        return 1;
    return fcntl(FIRST, F_GETFD) == 0 && fcntl(HIGH, F_GETFD) == FD_CLOEXEC ? 0 : 2;
}

static void run_in_child(int (*body)(const struct row *row), const struct row *row)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(body(row));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void everything_from_a_number_on_is_closed_on_every_kernel(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        run_in_child(closes, &rows[i]);
        run_in_child(closes_on_exec, &rows[i]);
    }
}

static bool may_open(rlim_t count)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return false;
    limit.rlim_cur = count;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* LIMIT_DESCRIPTORS: how far it is counted where nothing else is left. */
static int counted(const struct row *row)
{
    if (prepare(row) < 0 || dup2(FIRST, LIMIT_DESCRIPTORS - 1) < 0 || descriptors_close(FIRST + 1))
        return 1;
    return fcntl(LIMIT_DESCRIPTORS - 1, F_GETFD) == -1 ? 0 : 2;
}

static void numbers_are_counted_where_nothing_else_is_left(void **state)
{
    (void)state;
    if (!may_open(LIMIT_DESCRIPTORS))
        skip();
    run_in_child(counted, &rows[4]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_from_a_number_on_is_closed_on_every_kernel),
        cmocka_unit_test(numbers_are_counted_where_nothing_else_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
