#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <errno.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "os/path.h"
#include "without.h"

/* Below "root", beside which stands "outside"; `inside` and `none`: the errno with each of the two treatments of links, 0 for
 * success. */
static const struct row {
    const char *path;
    int inside, none;
} rows[] = {
    {"", 0, 0},
    {"file", 0, 0},
    {"./d//file", 0, 0},
    {"d", 0, 0},
    {"missing", ENOENT, ENOENT},
    {"missing/file", ENOENT, ENOENT},
    {"file/x", ENOTDIR, ENOTDIR},
    {"within", 0, ELOOP},
    {"through/file", 0, ELOOP},
    {"out", EXDEV, ELOOP},
    {"out-by-name", EXDEV, ELOOP},
    {"twin", EXDEV, ELOOP},
    {"outside/file", EXDEV, ELOOP},
    {"../outside/file", EXDEV, EXDEV},
    {"d/../../outside/file", EXDEV, EXDEV},
    {"self", ELOOP, ELOOP},
};

static int make(void **state)
{
    if (folder_make(state) != 0)
        return -1;
    assert_int_equal(mkdir(in_folder("root"), 0755) | mkdir(in_folder("root/d"), 0755) | mkdir(in_folder("outside"), 0755), 0);
    put_file(in_folder("root/file"), "x");
    put_file(in_folder("root/d/file"), "x");
    put_file(in_folder("outside/file"), "x");
    assert_int_equal(symlink("d/file", in_folder("root/within")), 0);
    assert_int_equal(symlink("d", in_folder("root/through")), 0);
    assert_int_equal(symlink("../outside/file", in_folder("root/out")), 0);
    assert_int_equal(symlink(in_folder("outside/file"), in_folder("root/out-by-name")), 0);
    assert_int_equal(symlink("../outside", in_folder("root/outside")), 0);
    assert_int_equal(mkdir(in_folder("root-twin"), 0755) | symlink("../root-twin/file", in_folder("root/twin")), 0);
    put_file(in_folder("root-twin/file"), "x");
    assert_int_equal(symlink("self", in_folder("root/self")), 0);
    return 0;
}

static int root_of_folder(void)
{
    return open(in_folder("root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int opens(int root, const char *path, enum path_links links)
{
    int fd = path_open_below(root, path, O_RDONLY, links), number = errno;

    if (fd < 0)
        return number;
    number = fcntl(fd, F_GETFD) & FD_CLOEXEC ? 0 : -1;
    close(fd);
    return number;
}

/* 0: every row is as it says; else which is not. */
static int go_through(void)
{
    int root = root_of_folder();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int inside = opens(root, rows[i].path, PATH_LINKS_INSIDE), none = opens(root, rows[i].path, PATH_LINKS_NONE);

        if (inside != rows[i].inside || none != rows[i].none) {
            print_message("\"%s\": %s, %s\n", rows[i].path, strerror(inside), strerror(none));
            return (int)i + 1;
        }
    }
    close(root);
    return 0;
}

static void in_a_child(int (*prepare)(void), int (*body)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(prepare() != 0 ? 99 : body());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static int refused_openat2(void)
{
    return without_call(SYS_openat2, EPERM);
}

static void names_lead_below_the_root_and_nowhere_else(void **state)
{
    (void)state;
    assert_int_equal(go_through(), 0);
}

static void so_it_is_without_openat2(void **state)
{
    (void)state;
    in_a_child(without_openat2, go_through);
    in_a_child(refused_openat2, go_through);
}

/* ------------------------------------------------------------------------------------------------------ magic links */

static int magic(void)
{
    char magic[64];
    int fd = open(in_folder("root/file"), O_RDONLY | O_CLOEXEC),
        ordinary = path_open_plain(in_folder("root/through/file"), O_RDONLY);

    snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
    if (unlink(in_folder("root/file")) != 0 && errno != ENOENT)
        return 1;
    if (ordinary < 0)
        return 2;
    close(ordinary);
    return path_open_plain(magic, O_RDONLY) < 0 ? 0 : 3;
}

static void magic_links_are_not_followed(void **state)
{
    (void)state;
    assert_int_equal(magic(), 0);
    put_file(in_folder("root/file"), "x");
    in_a_child(without_openat2, magic);
}

/* ----------------------------------------------------------------------------------------------------------- making */

static int makes(const char *path)
{
    int root = root_of_folder(), fd = path_make_below(root, path), number = errno;

    close(root);
    if (fd < 0)
        return number;
    close(fd);
    return 0;
}

static int makes_all(void)
{
    umask(0);
    if (makes("new/./deep//er") != 0 || makes("new/deep/er") != 0 || mode_of(in_folder("root/new/deep")) != 0755)
        return 1;
    if (makes("through/new") != ELOOP || makes("../new") != EXDEV || makes("file/new") != ENOTDIR)
        return 2;
    if (makes("d/../../outside/new") != EXDEV || access(in_folder("outside/new"), F_OK) == 0 ||
        access(in_folder("new"), F_OK) == 0)
        return 3;
    return makes("") == 0 ? 0 : 4;
}

static void missing_folders_are_made_below_the_root_only(void **state)
{
    (void)state;
    in_a_child(without_openat2, makes_all);
    assert_int_equal(nftw(in_folder("root/new"), folder_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    assert_int_equal(makes_all(), 0);
}

static void a_component_that_is_too_long_is_an_error(void **state)
{
    char longest[300], name[256];
    const char *path = longest;

    (void)state;
    memset(longest, 'x', sizeof(longest));
    longest[255] = '\0';
    assert_int_equal(path_next(&path, name), 1);
    assert_int_equal(strlen(name), 255);
    longest[255] = 'x';
    longest[256] = '\0';
    path = longest;
    assert_int_equal(path_next(&path, name), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(makes(longest), ENAMETOOLONG);
}

/* ------------------------------------------------------------------------------------------------------------ whole */

static void components_come_one_by_one(void **state)
{
    const char *path = "//a/./b//..//c/";
    char name[256];

    (void)state;
    for (const char *const *wanted = (const char *const[]){"a", "b", "..", "c", NULL}; *wanted; wanted++) {
        assert_int_equal(path_next(&path, name), 1);
        assert_string_equal(name, *wanted);
    }
    assert_int_equal(path_next(&path, name), 0);
    assert_int_equal(path_next(&path, name), 0);
}

static void assert_whole(const char *path, const char *wanted)
{
    char whole[PATH_MAX];

    assert_int_equal(path_whole(path, whole), 0);
    assert_string_equal(whole, wanted);
}

static void a_name_is_made_whole(void **state)
{
    char before[PATH_MAX];

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_whole("/", "/");
    assert_whole("/..", "/");
    assert_whole("/a//b/./c/", "/a/b/c");
    assert_whole("/nowhere/a/../b", "/nowhere/b");
    assert_whole(in_folder("root/through/file"), in_folder("root/through/file"));
    assert_whole(in_folder("root/outside/../x"), in_folder("x"));
    assert_int_equal(chdir(in_folder("root")), 0);
    assert_whole("d/file", in_folder("root/d/file"));
    assert_whole("../x", in_folder("x"));
    assert_whole("", in_folder("root"));
    assert_int_equal(chdir(before), 0);
}

static void a_name_that_is_too_long_is_not(void **state)
{
    static char path[PATH_MAX + 2];
    char whole[PATH_MAX];

    (void)state;
    for (size_t i = 0; i < PATH_MAX - 1; i++)
        path[i] = i % 2 ? 'x' : '/';
    path[PATH_MAX - 1] = '\0';
    assert_int_equal(path_whole(path, whole), 0);
    assert_int_equal(strlen(whole), PATH_MAX - 2);
    strcat(path, "x");
    errno = 0;
    assert_int_equal(path_whole(path, whole), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    /* For the kernel too, even where it would be short when whole. */
    memset(path, '/', PATH_MAX);
    errno = 0;
    assert_int_equal(path_whole(path, whole), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(names_lead_below_the_root_and_nowhere_else),
        in_a_folder(so_it_is_without_openat2),
        in_a_folder(magic_links_are_not_followed),
        in_a_folder(missing_folders_are_made_below_the_root_only),
        in_a_folder(a_component_that_is_too_long_is_an_error),
        in_a_folder(components_come_one_by_one),
        in_a_folder(a_name_is_made_whole),
        in_a_folder(a_name_that_is_too_long_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
