#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "os/reach.h"

static struct reach reach;

static int make(void **state)
{
    reach = (struct reach){0};
    return folder_make(state);
}

static int clean(void **state)
{
    reach_done(&reach);
    return folder_remove(state);
}

static bool has(const char *path, enum reach_access access)
{
    for (size_t i = 0; i < reach.count; i++)
        if (strcmp(reach.rules[i].folder, path) == 0)
            return reach.rules[i].access == access;
    return false;
}

static void make_folders(void)
{
    assert_int_equal(mkdir(in_folder("a"), 0755) | mkdir(in_folder("a/b"), 0755) | mkdir(in_folder("a/b/c"), 0755), 0);
}

/* /tmp is of the system, and what is directly in it is ours: everything below may go and come. */
static void rule_stands_above_every_folder_that_may_be_removed(void **state)
{
    (void)state;
    make_folders();
    reach_file(&reach, in_folder("a/b/c/file"), REACH_WRITE);
    assert_int_equal(reach.count, 1);
    assert_true(has(folder, REACH_WRITE));
}

static void what_is_not_there_yet_is_reached_by_the_nearest_folder_that_is(void **state)
{
    (void)state;
    make_folders();
    reach_file(&reach, in_folder("a/b/new/too/file"), REACH_READ);
    reach_file(&reach, "/not-here/too/file", REACH_READ);
    assert_true(has(folder, REACH_READ) && has("/", REACH_READ));
}

/* A rename over one of them is a rename in the folder itself. */
static void file_in_a_folder_of_the_system_opens_that_folder(void **state)
{
    (void)state;
    reach_file(&reach, "/etc/hosts", REACH_READ);
    assert_true(has("/etc", REACH_READ));
}

/* As for open(2) of root, who could otherwise become anything by what lies in /etc. */
static void root_does_not_write_beside_its_folder_in_a_folder_of_the_system(void **state)
{
    (void)state;
    if (geteuid() != 0 || mkdir("/etc/ampule-test-reach", 0755) != 0)
        skip();
    reach_file(&reach, "/etc/ampule-test-reach/file", REACH_WRITE);
    assert_int_equal(rmdir("/etc/ampule-test-reach"), 0);
    assert_int_equal(reach.count, 1);
    assert_true(has("/etc/ampule-test-reach", REACH_WRITE));
}

static void links_are_followed_and_their_folders_are_reached_too(void **state)
{
    char other[] = "/tmp/ampule-other-XXXXXX", link[600];

    (void)state;
    assert_non_null(mkdtemp(other));
    make_folders();
    snprintf(link, sizeof(link), "%s/link", other);
    assert_int_equal(symlink(in_folder("a/b"), link), 0);
    snprintf(link, sizeof(link), "%s/link/c/file", other);
    reach_file(&reach, link, REACH_READ);
    snprintf(link, sizeof(link), "%s/link", other);
    assert_int_equal(unlink(link) | rmdir(other), 0);
    assert_int_equal(reach.count, 2);
    assert_true(has(folder, REACH_READ) && has(other, REACH_READ));
}

static void a_loop_of_links_ends(void **state)
{
    (void)state;
    assert_int_equal(symlink("y", in_folder("x")) | symlink("x", in_folder("y")), 0);
    reach_file(&reach, in_folder("x/file"), REACH_READ);
    assert_true(has(folder, REACH_READ));
}

static void relative_names_begin_at_the_working_directory(void **state)
{
    (void)state;
    make_folders();
    assert_int_equal(chdir(in_folder("a/b")), 0);
    reach_file(&reach, "file", REACH_READ);
    reach_folder(&reach, "../../../../etc/ssl", REACH_READ);
    assert_int_equal(chdir("/"), 0);
    assert_true(has(folder, REACH_READ) && has("/etc", REACH_READ));
}

static void writing_wins_over_reading_and_none_is_none(void **state)
{
    (void)state;
    reach_file(&reach, "", REACH_READ);
    reach_folder(&reach, "", REACH_READ);
    assert_int_equal(reach.count, 0);
    reach_file(&reach, in_folder("x"), REACH_WRITE);
    reach_file(&reach, in_folder("y"), REACH_READ);
    assert_int_equal(reach.count, 1);
    assert_true(has(folder, REACH_WRITE));
}

/* In a mount namespace of its own. */
static int on_a_volume(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return 255;
    make_folders();
    if (mount("test", in_folder("a/b"), "tmpfs", 0, "size=64k") < 0)
        return 255;
    if (mkdir(in_folder("a/b/sub"), 0755) < 0)
        return 1;
    reach_file(&reach, in_folder("a/b/sub/file"), REACH_WRITE);
    return reach.count == 1 && has(in_folder("a/b"), REACH_WRITE) ? 0 : 2;
}

static void rule_for_a_volume_stands_on_its_root(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0)
        _exit(on_a_volume());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WEXITSTATUS(status) == 255)
        skip();
    assert_int_equal(status, 0);
}

static void what_is_held_is_below_a_rule_of_as_much_access(void **state)
{
    struct reach_rule held[] = {{(char[]){"/run"}, REACH_WRITE}, {(char[]){"/etc"}, REACH_READ}},
                      parts[] = {{(char[]){"/run/a"}, REACH_WRITE},
                                 {(char[]){"/etc"}, REACH_READ},
                                 {(char[]){"/etc/b"}, REACH_WRITE},
                                 {(char[]){"/runs"}, REACH_READ}};
    const struct reach whole = {.rules = held, .count = 2};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(reach_holds(&whole, &(struct reach){.rules = &parts[i], .count = 1}), i < 2);
    assert_true(reach_holds(&whole, &(struct reach){.rules = parts, .count = 2}));
    assert_false(reach_holds(&whole, &(struct reach){.rules = parts, .count = 3}));
    assert_true(reach_holds(&(struct reach){.rules = &(struct reach_rule){(char[]){"/"}, REACH_WRITE}, .count = 1},
                            &(struct reach){.rules = parts, .count = 4}));
    assert_true(reach_writes(&whole, "/run/x/../a/file"));
    assert_false(reach_writes(&whole, "/run/../etc/file"));
}

static void a_file_is_written_where_its_links_lead(void **state)
{
    struct reach_rule rule = {(char *)in_folder("a"), REACH_WRITE};
    const struct reach whole = {.rules = &rule, .count = 1};

    (void)state;
    rule.folder = strdup(rule.folder);
    make_folders();
    put_file(in_folder("a/file"), "x");
    assert_int_equal(symlink("a/file", in_folder("link")), 0);
    put_file(in_folder("other"), "x");
    assert_true(reach_writes(&whole, in_folder("link")));
    assert_false(reach_writes(&whole, in_folder("other")));
    free(rule.folder);
}

static void ports_are_collected_once(void **state)
{
    (void)state;
    reach_port(&reach, 8200);
    reach_port(&reach, 53);
    reach_port(&reach, 8200);
    assert_int_equal(reach.port_count, 2);
    assert_int_equal(reach.ports[0], 8200);
    assert_false(reach.any_port);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(rule_stands_above_every_folder_that_may_be_removed),
        in_a_folder(what_is_not_there_yet_is_reached_by_the_nearest_folder_that_is),
        in_a_folder(file_in_a_folder_of_the_system_opens_that_folder),
        in_a_folder(root_does_not_write_beside_its_folder_in_a_folder_of_the_system),
        in_a_folder(links_are_followed_and_their_folders_are_reached_too),
        in_a_folder(a_loop_of_links_ends),
        in_a_folder(relative_names_begin_at_the_working_directory),
        in_a_folder(writing_wins_over_reading_and_none_is_none),
        in_a_folder(rule_for_a_volume_stands_on_its_root),
        in_a_folder(what_is_held_is_below_a_rule_of_as_much_access),
        in_a_folder(a_file_is_written_where_its_links_lead),
        in_a_folder(ports_are_collected_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
