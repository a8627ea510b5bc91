#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "os/trail.h"

enum { US = 1234, THEM = 4321 };

/* "d/link -> ../target", and whether we follow it as another uid than root's. */
static const struct row {
    const char *what;
    mode_t mode;
    uid_t folder, link;
    bool followed;
} rows[] = {
    {"all is root's", 0755, 0, 0, true},
    {"all is ours", 0700, US, US, true},
    {"a stranger's link that only root can have put there", 0755, 0, THEM, true},
    {"kubelet's links in an emptyDir", 0777, 0, 0, true},
    {"our link in an emptyDir", 0777, 0, US, true},
    {"a sticky folder, as /tmp", 01777, 0, US, true},
    {"a group's folder, as with fsGroup", 02775, 0, 0, true},
    {"a stranger's link in an emptyDir", 0777, 0, THEM, false},
    {"a stranger's link in a sticky folder", 01777, 0, THEM, false},
    {"a stranger's link in a group's folder", 02775, 0, THEM, false},
    {"a stranger's folder", 0755, THEM, THEM, false},
    {"root's link in a stranger's folder", 0755, THEM, 0, false},
};

static int ways(void)
{
    _cleanup_close_ int folder_fd = trail_folder(in_folder("d/link/sub"), false), file_fd = -1;

    if (folder_fd < 0 && errno != ELOOP)
        return -1;
    file_fd = trail_file(in_folder("d/link/file"), O_RDONLY);
    if (file_fd < 0 && errno != ELOOP)
        return -2;
    return folder_fd >= 0 && file_fd >= 0 ? 1 : folder_fd < 0 && file_fd < 0 ? 0 : 2;
}

static int ways_as(uid_t uid)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(setresuid(uid, uid, uid) == 0 ? ways() & 0xFF : 9);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void link_is_followed_where_nobody_else_can_have_put_it(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir(in_folder("target"), 0755) | mkdir(in_folder("target/sub"), 0755) | mkdir(in_folder("d"), 0755), 0);
    put_file(in_folder("target/file"), "text");
    assert_int_equal(symlink("../target", in_folder("d/link")), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(chown(in_folder("d"), rows[i].folder, 0) | chmod(in_folder("d"), rows[i].mode), 0);
        assert_int_equal(lchown(in_folder("d/link"), rows[i].link, 0), 0);
        if (ways_as(US) != rows[i].followed)
            fail_msg("%s", rows[i].what);
    }
}

static void ways_of_every_kind_lead_where_the_kernel_would_go(void **state)
{
    static const char *const names[] = {"a/b", "a/../a/b", "./a//b/", "up/b", "whole/b", "chain/b", "deep"};
    struct stat wanted, found;

    (void)state;
    assert_int_equal(mkdir(in_folder("a"), 0755) | mkdir(in_folder("a/b"), 0755), 0);
    assert_int_equal(symlink("../a", in_folder("a/self")) | symlink("a/self", in_folder("up")) |
                         symlink(in_folder("a"), in_folder("whole")),
                     0);
    assert_int_equal(symlink("whole", in_folder("chain")) | symlink("a/self/b", in_folder("deep")), 0);
    assert_int_equal(stat(in_folder("a/b"), &wanted), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        _cleanup_close_ int fd = trail_folder(in_folder(names[i]), false);

        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &found), 0);
        assert_int_equal(found.st_ino, wanted.st_ino);
    }
}

static void loops_files_and_what_is_missing_are_refused(void **state)
{
    (void)state;
    assert_int_equal(symlink("loop", in_folder("loop")), 0);
    put_file(in_folder("file"), "x");
    assert_int_equal(trail_folder(in_folder("loop/x"), true), -1);
    assert_int_equal(errno, ELOOP);
    assert_int_equal(trail_folder(in_folder("file"), true), -1);
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(trail_folder(in_folder("none/x"), false), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(trail_file(in_folder("none"), O_RDONLY), -1);
    assert_int_equal(errno, ENOENT);
    assert_true(access(in_folder("none"), F_OK) < 0);
}

/* Also where the other container that has it is root, as we are. */
static void link_leads_out_of_no_volume(void **state)
{
    _cleanup_close_ int inside = -1, outside = -1;

    (void)state;
    assert_int_equal(mkdir(in_folder("v"), 0755) | mkdir(in_folder("out"), 0755), 0);
    if (geteuid() != 0 || mount("none", in_folder("v"), "tmpfs", 0, "size=64k") < 0)
        skip();
    assert_int_equal(mkdir(in_folder("v/releases"), 0755), 0);
    assert_int_equal(symlink(in_folder("v/releases"), in_folder("v/in")) | symlink("../out", in_folder("v/out")), 0);
    inside = trail_folder(in_folder("v/in"), false);
    outside = trail_folder(in_folder("v/out"), false);
    assert_int_equal(errno, EXDEV);
    assert_int_equal(umount2(in_folder("v"), MNT_DETACH), 0);
    assert_true(inside >= 0);
    assert_true(outside < 0);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(link_is_followed_where_nobody_else_can_have_put_it),
        in_a_folder(ways_of_every_kind_lead_where_the_kernel_would_go),
        in_a_folder(loops_files_and_what_is_missing_are_refused),
        in_a_folder(link_leads_out_of_no_volume),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
