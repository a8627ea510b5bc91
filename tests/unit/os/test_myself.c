#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include "base/limits.h"
#include "os/file.h"
#include "os/myself.h"

static struct err err;

static bool is_this_program(const char *path)
{
    char own[512];
    ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
    _cleanup_buf_ struct buf original = {0}, copy = {0};

    assert_true(len > 0);
    own[len] = '\0';
    assert_int_equal(file_read(own, LIMIT_PROGRAM_BYTES, &original, &err), 0);
    assert_int_equal(file_read(path, LIMIT_PROGRAM_BYTES, &copy, &err), 0);
    return original.len == copy.len && memcmp(original.data, copy.data, copy.len) == 0;
}

static void the_copy_is_the_program_and_executable(void **state)
{
    const char *path = in_folder("program");

    (void)state;
    assert_int_equal(myself_copy(path, &err), 0);
    assert_true(is_this_program(path));
    assert_int_equal(mode_of(path), 0755);
}

/* One that runs keeps its own: a file that is written to while it runs could not be opened (ETXTBSY). */
static void what_is_there_is_replaced_and_not_written_to(void **state)
{
    const char *path = in_folder("program");
    int before;
    char byte;

    (void)state;
    put_file(path, "old");
    before = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(myself_copy(path, &err), 0);
    assert_true(is_this_program(path));
    assert_int_equal(mode_of(path), 0755);
    assert_int_equal(read(before, &byte, 1), 1);
    assert_int_equal(byte, 'o');
    close(before);
}

static void a_folder_and_a_missing_one_are_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("there"), 0755), 0);
    assert_int_equal(myself_copy(in_folder("there"), &err), -1);
    assert_non_null(strstr(err.text, in_folder("there")));
    assert_int_equal(myself_copy(in_folder("nowhere/program"), &err), -1);
    assert_non_null(strstr(err.text, "nowhere"));
    assert_int_equal(rmdir(in_folder("there")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_copy_is_the_program_and_executable, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(what_is_there_is_replaced_and_not_written_to, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(a_folder_and_a_missing_one_are_refused, folder_make, folder_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
