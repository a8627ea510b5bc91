/*
 * The 1st, 2nd, 3rd … system call of a batch fails, once and from then on. Whatever fails: each file is the old or the new one,
 * nothing is renamed unless all drafts were written, no descriptor stays open, and a sweep leaves no leftover. The calls below
 * take the place of the C library's for this program; those of ours reach the kernel through syscall(2) of the library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "os/draft.h"
#include "os/stray.h"

static struct {
    bool armed, for_ever;
    int at, seen; /* the call that fails, the calls so far */
    int number;   /* with this errno */
    bool removal; /* it was a removal that failed */
} torture;

static bool fails(void)
{
    if (!torture.armed)
        return false;
    torture.seen++;
    if (torture.seen != torture.at && !(torture.for_ever && torture.seen > torture.at))
        return false;
    errno = torture.number;
    return true;
}

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

int openat(int dir, const char *path, int flags, ...)
{
    va_list ap;
    mode_t mode;

    va_start(ap, flags);
    mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return fails() ? -1 : (int)syscall(SYS_openat, dir, path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t len)
{
    /* Half of what is asked, so that the rest takes another call. */
    if (torture.armed && len > 1)
        len /= 2;
    return fails() ? -1 : syscall(SYS_write, fd, data, len);
}

int fchmod(int fd, mode_t mode)
{
    return fails() ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int fchown(int fd, uid_t uid, gid_t gid)
{
    return fails() ? -1 : (int)syscall(SYS_fchown, fd, uid, gid);
}

int fsync(int fd)
{
    return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int flock(int fd, int operation)
{
    return fails() ? -1 : (int)syscall(SYS_flock, fd, operation);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    return fails() ? -1 : (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return fails() ? -1 : (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

int unlinkat(int dir, const char *path, int flags)
{
    bool failing = fails();

    torture.removal |= failing;
    return failing ? -1 : (int)syscall(SYS_unlinkat, dir, path, flags);
}

int fstat(int fd, struct stat *st)
{
    return fails() ? -1 : REAL(fstat)(fd, st);
}

int fstatat(int dir, const char *path, struct stat *st, int flags)
{
    return fails() ? -1 : REAL(fstatat)(dir, path, st, flags);
}

static struct place places[2];
static struct err err;

struct outcome {
    bool all_written;
    unsigned published;
};

static struct outcome write_set(const char *text)
{
    static const struct draft_owner owner = {0640, 0, 0};
    struct draft drafts[2] = {{0}, {0}};
    _cleanup_held_ struct held held = {0};
    struct outcome outcome = {true, 0};

    for (int i = 0; i < 2 && outcome.all_written; i++)
        outcome.all_written = draft_write_held(&drafts[i], &held, &places[i], &owner, text, strlen(text), &err) == 0;
    for (int i = 0; i < 2 && outcome.all_written; i++)
        outcome.published += draft_publish(&drafts[i], &err) == 0;
    for (int i = 0; i < 2; i++)
        draft_drop(&drafts[i]);
    return outcome;
}

static void assert_old_or_new(const char *name, bool may_be_new)
{
    char bytes[64] = "";
    int fd = open(in_folder(name), O_RDONLY | O_CLOEXEC);

    assert_true(read(fd, bytes, sizeof(bytes) - 1) > 0);
    close(fd);
    assert_true(strcmp(bytes, "the old one") == 0 || (may_be_new && strcmp(bytes, "the new one") == 0));
}

/* True when the failing call was reached. */
static bool fail_at(int at, bool for_ever, int number)
{
    unsigned descriptors = open_descriptors();
    int readable;
    struct outcome outcome;

    assert_true(write_set("the old one").all_written);
    torture = (__typeof__(torture)){.armed = true, .for_ever = for_ever, .at = at, .number = number};
    outcome = write_set("the new one");
    torture.armed = false;
    assert_int_equal(open_descriptors(), descriptors);
    assert_old_or_new("one", outcome.all_written);
    assert_old_or_new("two", outcome.all_written);
    if (!torture.removal)
        assert_int_equal(count_entries(folder), 2);
    readable = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(stray_sweep(readable) >= 0);
    close(readable);
    assert_int_equal(count_entries(folder), 2);
    return torture.seen >= at;
}

static void fail_each(bool for_ever, int number)
{
    int at = 1;

    if (geteuid() != 0)
        skip();
    assert_int_equal(place_open_below(&places[0], folder, "one", true, &err), 0);
    assert_int_equal(place_open_below(&places[1], folder, "two", true, &err), 0);
    while (fail_at(at, for_ever, number))
        at++;
    /* As many calls as a batch of two makes. */
    assert_true(at > 30);
    place_close(&places[0]);
    place_close(&places[1]);
}

static void one_failing_call_leaves_whole_files_and_nothing_else(void **state)
{
    (void)state;
    fail_each(false, EIO);
}

static void calls_that_fail_from_then_on_leave_whole_files_and_nothing_else(void **state)
{
    (void)state;
    fail_each(true, EIO);
}

static void full_disk_at_any_call_leaves_whole_files_and_nothing_else(void **state)
{
    (void)state;
    fail_each(true, ENOSPC);
}

static void interrupted_calls_leave_whole_files_and_nothing_else(void **state)
{
    (void)state;
    fail_each(false, EINTR);
}

/* What looks like "no nameless files here" leads to the other way of writing, with the same promises. */
static void unsupported_calls_leave_whole_files_and_nothing_else(void **state)
{
    (void)state;
    fail_each(false, EOPNOTSUPP);
    fail_each(true, EOPNOTSUPP);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(one_failing_call_leaves_whole_files_and_nothing_else),
        in_a_folder(calls_that_fail_from_then_on_leave_whole_files_and_nothing_else),
        in_a_folder(full_disk_at_any_call_leaves_whole_files_and_nothing_else),
        in_a_folder(interrupted_calls_leave_whole_files_and_nothing_else),
        in_a_folder(unsupported_calls_leave_whole_files_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
