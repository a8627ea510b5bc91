#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <sys/file.h>

#include "base/mem.h"
#include "os/version.h"

static int open_folder(void)
{
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void make_version(char name[VERSION_NAME_LEN + 1])
{
    char file[VERSION_NAME_LEN + 8];

    version_name(name);
    assert_int_equal(mkdir(in_folder(name), 0755), 0);
    snprintf(file, sizeof(file), "%s/file", name);
    put_file(in_folder(file), "secret");
}

static void names_have_a_date_and_differ(void **state)
{
    char one[VERSION_NAME_LEN + 1], other[VERSION_NAME_LEN + 1];

    (void)state;
    version_name(one);
    version_name(other);
    assert_int_equal(strlen(one), VERSION_NAME_LEN);
    assert_true(strncmp(one, "..20", 4) == 0 && one[21] == '.');
    assert_true(strcmp(one, other) != 0);
}

static void the_present_one_is_what_our_link_names(void **state)
{
    _cleanup_close_ int dir = open_folder();
    char name[VERSION_NAME_LEN + 1], present[VERSION_NAME_LEN + 1];

    (void)state;
    version_present(dir, present);
    assert_string_equal(present, "");
    make_version(name);
    assert_int_equal(symlink(name, in_folder(VERSION_LINK)), 0);
    version_present(dir, present);
    assert_string_equal(present, name);
    if (geteuid() == 0) {
        assert_int_equal(lchown(in_folder(VERSION_LINK), 4321, 4321), 0);
        version_present(dir, present);
        assert_string_equal(present, "");
    }
    assert_int_equal(unlink(in_folder(VERSION_LINK)), 0);
    assert_int_equal(symlink("/etc", in_folder(VERSION_LINK)), 0);
    version_present(dir, present);
    assert_string_equal(present, "");
}

static void a_link_or_a_strangers_folder_is_not_opened(void **state)
{
    _cleanup_close_ int dir = open_folder();
    char name[VERSION_NAME_LEN + 1], other[VERSION_NAME_LEN + 1];
    int fd;

    (void)state;
    make_version(name);
    fd = version_open(dir, name);
    assert_true(fd >= 0);
    close(fd);
    version_name(other);
    assert_int_equal(symlink(name, in_folder(other)), 0);
    assert_int_equal(version_open(dir, other), -1);
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(in_folder(name), 4321, 4321), 0);
    assert_int_equal(version_open(dir, name), -1);
}

static void what_nothing_names_and_nobody_writes_is_swept(void **state)
{
    _cleanup_close_ int dir = open_folder();
    char present[VERSION_NAME_LEN + 1], killed[VERSION_NAME_LEN + 1], alive[VERSION_NAME_LEN + 1];
    int fd;

    (void)state;
    make_version(present);
    make_version(killed);
    make_version(alive);
    assert_int_equal(symlink(present, in_folder(VERSION_LINK)), 0);
    fd = version_open(dir, alive);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(version_sweep(dir), 1);
    assert_int_equal(access(in_folder(killed), F_OK), -1);
    assert_int_equal(count_entries(folder), 3);
    close(fd);
    assert_int_equal(version_sweep(dir), 1);
    assert_int_equal(version_sweep(dir), 0);
    assert_int_equal(count_entries(in_folder(present)), 1);
}

static void folders_of_others_are_not_swept(void **state)
{
    static const char *const names[] = {"..2026_12_01_09_30_00.123456789", "..mine", ".ampule-folder"};
    _cleanup_close_ int dir = open_folder();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(mkdir(in_folder(names[i]), 0755), 0);
    assert_int_equal(version_sweep(dir), 0);
    assert_int_equal(count_entries(folder), ARRAY_LEN(names));
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(names_have_a_date_and_differ),
        in_a_folder(the_present_one_is_what_our_link_names),
        in_a_folder(a_link_or_a_strangers_folder_is_not_opened),
        in_a_folder(what_nothing_names_and_nobody_writes_is_swept),
        in_a_folder(folders_of_others_are_not_swept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
