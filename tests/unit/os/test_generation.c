/*
 * Files that switch together. In the second half the 1st, 2nd, 3rd … system call fails, once and from then on: whatever fails,
 * what is seen through `..data` is the old set or the new one, and the next write leaves nothing else behind. The calls below
 * take the place of the C library's for this program.
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

#include "os/generation.h"
#include "os/held.h"

static struct {
    bool armed, for_ever;
    int at, seen; /* the call that fails, the calls so far */
    int number;   /* with this errno */
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
    return fails() ? -1 : syscall(SYS_write, fd, data, len);
}

int fchmod(int fd, mode_t mode)
{
    return fails() ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int fsync(int fd)
{
    return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int flock(int fd, int operation)
{
    return fails() ? -1 : (int)syscall(SYS_flock, fd, operation);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    return fails() ? -1 : (int)syscall(SYS_mkdirat, dir, path, mode);
}

int symlinkat(const char *text, int dir, const char *path)
{
    return fails() ? -1 : (int)syscall(SYS_symlinkat, text, dir, path);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return fails() ? -1 : (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

int unlinkat(int dir, const char *path, int flags)
{
    return fails() ? -1 : (int)syscall(SYS_unlinkat, dir, path, flags);
}

int fstat(int fd, struct stat *st)
{
    return fails() ? -1 : REAL(fstat)(fd, st);
}

int fstatat(int dir, const char *path, struct stat *st, int flags)
{
    return fails() ? -1 : REAL(fstatat)(dir, path, st, flags);
}

/* ------------------------------------------------------------------------------------------------------------ a set */

enum { MOST = 3 };

static const struct draft_owner keep = {DRAFT_KEEP_MODE, DRAFT_KEEP_UID, DRAFT_KEEP_GID};

static struct {
    struct place places[MOST];
    struct generation_file files[MOST];
    size_t count;
    struct err err;
} set;

static int make(void **state)
{
    static const char *const names[MOST] = {"ca", "cert", "key"};
    int failed = folder_make(state);

    memset(&set, 0, sizeof(set));
    memset(&torture, 0, sizeof(torture));
    set.count = MOST;
    for (int i = 0; i < MOST; i++) {
        failed |= place_open_below(&set.places[i], folder, names[i], true, &set.err);
        set.files[i] = (struct generation_file){.place = &set.places[i], .owner = &keep};
    }
    return failed;
}

static int clean(void **state)
{
    for (int i = 0; i < MOST; i++)
        place_close(&set.places[i]);
    return folder_remove(state);
}

static void says(const char *text)
{
    for (size_t i = 0; i < MOST; i++) {
        set.files[i].data = text;
        set.files[i].len = strlen(text);
        set.files[i].kept = false;
    }
}

/* As an agent does it; `ret_switched`: there was something to switch. */
static int switch_to(const char *text, bool *ret_switched)
{
    _cleanup_generation_ struct generation generation = {0};
    _cleanup_held_ struct held held = {0};

    if (text)
        says(text);
    *ret_switched = false;
    if (generation_write(&generation, &held, set.files, set.count, &set.err) != 0)
        return -1;
    *ret_switched = generation_pending(&generation);
    return generation_switch(&generation, &set.err);
}

static bool switched(const char *text)
{
    bool any;

    assert_int_equal(switch_to(text, &any), 0);
    return any;
}

static const char *present(void)
{
    static char text[256];
    ssize_t len = readlink(in_folder(VERSION_LINK), text, sizeof(text) - 1);

    text[len > 0 ? len : 0] = '\0';
    return text;
}

static void assert_link(const char *name, const char *text)
{
    char got[256] = "";

    assert_true(readlink(in_folder(name), got, sizeof(got) - 1) > 0);
    assert_string_equal(got, text);
}

/* The files, ..data, and one version of as many files. */
static void assert_whole(const char *text)
{
    static const char *const names[MOST] = {"ca", "cert", "key"};

    for (size_t i = 0; i < set.count; i++)
        assert_file(in_folder(names[i]), text);
    assert_int_equal(count_entries(folder), set.count + 2);
    assert_int_equal(count_entries(in_folder(VERSION_LINK)), set.count);
}

static void files_are_links_through_one_link(void **state)
{
    char first[256];

    (void)state;
    assert_true(switched("one"));
    assert_whole("one");
    assert_link("cert", "..data/cert");
    assert_int_equal(strlen(present()), VERSION_NAME_LEN);
    assert_int_equal(mode_of(in_folder(present())), 0755);
    snprintf(first, sizeof(first), "%s", present());
    assert_true(switched("two"));
    assert_whole("two");
    assert_true(strcmp(first, present()) != 0);
    assert_true(set.files[0].changed && set.files[1].changed && set.files[2].changed);
}

static void an_equal_set_is_left_alone(void **state)
{
    char first[256];

    (void)state;
    switched("one");
    snprintf(first, sizeof(first), "%s", present());
    assert_false(switched("one"));
    assert_string_equal(first, present());
    assert_false(set.files[0].changed);
}

static void only_what_is_otherwise_has_changed_and_what_is_kept_is_copied(void **state)
{
    const struct draft_owner strict = {0400, DRAFT_KEEP_UID, DRAFT_KEEP_GID};

    (void)state;
    set.files[0].owner = &strict;
    switched("one");
    says("two");
    set.files[0].kept = set.files[1].kept = true;
    assert_true(switched(NULL));
    assert_false(set.files[0].changed || set.files[1].changed);
    assert_true(set.files[2].changed);
    assert_file(in_folder("ca"), "one");
    assert_file(in_folder("cert"), "one");
    assert_file(in_folder("key"), "two");
    assert_int_equal(mode_of(in_folder("..data/ca")), 0400);
    assert_int_equal(count_entries(folder), MOST + 2);
}

static void what_is_kept_and_gone_is_an_error_that_changes_nothing(void **state)
{
    bool any;

    (void)state;
    switched("one");
    assert_int_equal(unlink(in_folder("..data/ca")), 0);
    says("two");
    set.files[0].kept = true;
    assert_int_equal(switch_to(NULL, &any), -1);
    assert_non_null(strstr(set.err.text, in_folder("ca")));
    assert_file(in_folder("key"), "one");
    assert_true(switched("two"));
    assert_whole("two");
}

static void modes_and_owners_are_each_files_own(void **state)
{
    const struct draft_owner owner = {0640, 1234, 4321};
    struct stat st;

    (void)state;
    if (geteuid() != 0)
        skip();
    set.files[1].owner = &owner;
    switched("one");
    assert_int_equal(stat(in_folder("cert"), &st), 0);
    assert_int_equal(st.st_uid, 1234);
    assert_int_equal(st.st_gid, 4321);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_false(switched("one"));
    assert_int_equal(chmod(in_folder("..data/cert"), 0644), 0);
    assert_true(switched("one"));
    assert_true(set.files[1].changed && !set.files[0].changed);
    /* What is not configured is as it was. */
    assert_int_equal(chmod(in_folder("..data/ca"), 0600), 0);
    assert_true(switched("two"));
    assert_int_equal(mode_of(in_folder("..data/ca")), 0600);
}

static void a_umask_shuts_nobody_out_and_the_folders_group_is_the_versions(void **state)
{
    mode_t before = umask(077);
    struct stat st;

    (void)state;
    assert_int_equal(chmod(folder, 02755), 0);
    switched("one");
    umask(before);
    assert_int_equal(stat(in_folder(VERSION_LINK "/"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 02755);
}

static void a_plain_file_gives_way_and_leaves_its_mode(void **state)
{
    (void)state;
    put_file(in_folder("cert"), "mine");
    chmod(in_folder("cert"), 0600);
    assert_true(switched("one"));
    assert_whole("one");
    assert_link("cert", "..data/cert");
    assert_int_equal(mode_of(in_folder("..data/cert")), 0600);
}

static void what_cannot_be_replaced_is_refused_before_anything(void **state)
{
    bool any;

    (void)state;
    assert_int_equal(mkdir(in_folder("key"), 0755), 0);
    assert_int_equal(switch_to("one", &any), -1);
    assert_non_null(strstr(set.err.text, "is a directory"));
    assert_int_equal(count_entries(folder), 1);
    assert_int_equal(rmdir(in_folder("key")), 0);
    put_file(in_folder(VERSION_LINK), "");
    assert_int_equal(switch_to("one", &any), -1);
    assert_non_null(strstr(set.err.text, "..data that is no link"));
    assert_int_equal(count_entries(folder), 1);
}

static void a_name_that_is_no_members_any_more_goes_with_its_version(void **state)
{
    (void)state;
    switched("one");
    put_file(in_folder("users-own"), "x");
    set.count = 2;
    assert_true(switched("one"));
    assert_false(set.files[0].changed || set.files[1].changed);
    assert_int_equal(access(in_folder("key"), F_OK), -1);
    assert_int_equal(unlink(in_folder("users-own")), 0);
    assert_whole("one");
}

static void a_name_that_was_removed_comes_again(void **state)
{
    char first[256];

    (void)state;
    switched("one");
    snprintf(first, sizeof(first), "%s", present());
    assert_int_equal(unlink(in_folder("key")), 0);
    assert_true(switched("one"));
    assert_true(set.files[2].changed && !set.files[0].changed);
    assert_string_equal(first, present());
    assert_whole("one");
}

static void a_link_that_another_uid_put_there_is_not_believed(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    switched("one");
    assert_int_equal(lchown(in_folder(VERSION_LINK), 4321, 4321), 0);
    assert_true(switched("one"));
    assert_true(set.files[0].changed);
    assert_file(in_folder("ca"), "one");
}

static void what_a_killed_writer_left_is_swept_when_its_folder_is_held(void **state)
{
    _cleanup_held_ struct held held = {0};
    struct generation killed = {0};
    int dir;

    (void)state;
    switched("one");
    says("two");
    assert_int_equal(generation_write(&killed, &held, set.files, set.count, &set.err), 0);
    assert_int_equal(count_entries(folder), MOST + 4);
    /* Its writer lives. */
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(version_sweep(dir), 0);
    close(killed.own);
    close(killed.present);
    close(killed.folder);
    held_release(&held);
    assert_int_equal(version_sweep(dir), 1);
    close(dir);
    assert_false(switched("one"));
    assert_whole("one");
}

static void one_that_is_dropped_leaves_nothing(void **state)
{
    _cleanup_held_ struct held held = {0};
    struct generation generation = {0};

    (void)state;
    switched("one");
    says("two");
    assert_int_equal(generation_write(&generation, &held, set.files, set.count, &set.err), 0);
    generation_drop(&generation);
    assert_whole("one");
}

/* ---------------------------------------------------------------------------------------------------------- torture */

/* What a reader gets who opens ..data once. */
static void assert_one_version(void)
{
    static const char *const names[MOST] = {"ca", "cert", "key"};
    char all[MOST][16] = {"", "", ""};
    int dir = open(in_folder(VERSION_LINK), O_PATH | O_DIRECTORY | O_CLOEXEC);

    assert_true(dir >= 0);
    for (size_t i = 0; i < MOST; i++) {
        int fd = openat(dir, names[i], O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_true(read(fd, all[i], sizeof(all[i]) - 1) > 0);
        close(fd);
        assert_string_equal(all[i], all[0]);
    }
    close(dir);
    assert_true(strcmp(all[0], "old") == 0 || strcmp(all[0], "new") == 0);
}

/* Whether the failing call was reached. */
static bool fail_at(int at, bool for_ever, int number, bool first)
{
    unsigned descriptors = open_descriptors();
    bool any, failed;

    if (first)
        put_file(in_folder("cert"), "mine");
    else
        switched("old");
    torture = (__typeof__(torture)){.armed = true, .for_ever = for_ever, .at = at, .number = number};
    failed = switch_to("new", &any) != 0;
    torture.armed = false;
    assert_int_equal(open_descriptors(), descriptors);
    if (!first || access(in_folder(VERSION_LINK), F_OK) == 0)
        assert_one_version();
    if (!failed && first)
        assert_link("cert", "..data/cert");
    /* The next start. */
    switched("new");
    assert_whole("new");
    at = torture.seen >= at;
    if (first)
        assert_int_equal(clean(NULL) | make(NULL), 0);
    return at;
}

static void fail_each(bool for_ever, int number, bool first)
{
    int at = 1;

    while (fail_at(at, for_ever, number, first))
        at++;
    /* As many calls as the smaller of them makes. */
    assert_true(at > 40);
}

static void one_failing_call_leaves_one_version(void **state)
{
    (void)state;
    fail_each(false, EIO, false);
    fail_each(false, EINTR, false);
    fail_each(false, EOPNOTSUPP, false);
}

static void calls_that_fail_from_then_on_leave_one_version(void **state)
{
    (void)state;
    fail_each(true, EIO, false);
    fail_each(true, ENOSPC, false);
    fail_each(true, EROFS, false);
}

static void the_first_version_fails_at_any_call(void **state)
{
    (void)state;
    fail_each(false, EIO, true);
    fail_each(true, ENOSPC, true);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(files_are_links_through_one_link),
        in_a_folder(an_equal_set_is_left_alone),
        in_a_folder(only_what_is_otherwise_has_changed_and_what_is_kept_is_copied),
        in_a_folder(what_is_kept_and_gone_is_an_error_that_changes_nothing),
        in_a_folder(modes_and_owners_are_each_files_own),
        in_a_folder(a_umask_shuts_nobody_out_and_the_folders_group_is_the_versions),
        in_a_folder(a_plain_file_gives_way_and_leaves_its_mode),
        in_a_folder(what_cannot_be_replaced_is_refused_before_anything),
        in_a_folder(a_name_that_is_no_members_any_more_goes_with_its_version),
        in_a_folder(a_name_that_was_removed_comes_again),
        in_a_folder(a_link_that_another_uid_put_there_is_not_believed),
        in_a_folder(what_a_killed_writer_left_is_swept_when_its_folder_is_held),
        in_a_folder(one_that_is_dropped_leaves_nothing),
        in_a_folder(one_failing_call_leaves_one_version),
        in_a_folder(calls_that_fail_from_then_on_leave_one_version),
        in_a_folder(the_first_version_fails_at_any_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
