#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <sys/file.h>

#include "base/mem.h"
#include "os/stray.h"

#define STRAY ".ampule-00112233445566778899aabbccddeeff"
#define ALIVE ".ampule-ffffffffffffffffffffffffffffffff"

static int sweep(void)
{
    _cleanup_close_ int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return stray_sweep(dir);
}

static void what_nobody_holds_is_removed_and_nothing_else(void **state)
{
    int held;

    (void)state;
    put_file(in_folder(STRAY), "secret");
    put_file(in_folder(ALIVE), "alive");
    put_file(in_folder(".ampule-notes"), "the user's");
    assert_int_equal(mkdir(in_folder(".ampule-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 0755), 0);
    held = open(in_folder(ALIVE), O_RDONLY);
    assert_int_equal(flock(held, LOCK_EX), 0);
    assert_int_equal(sweep(), 1);
    assert_int_equal(count_entries(folder), 3);
    close(held);
    assert_int_equal(sweep(), 1);
    assert_int_equal(sweep(), 0);
}

static void names_are_of_one_shape_and_differ(void **state)
{
    char one[STRAY_NAME_LEN + 1], other[STRAY_NAME_LEN + 1];

    (void)state;
    stray_name(one);
    stray_name(other);
    assert_int_equal(strlen(one), strlen(STRAY));
    assert_true(strcmp(one, other) != 0);
    put_file(in_folder(one), "");
    assert_int_equal(sweep(), 1);
}

static void a_folder_that_is_none_is_said(void **state)
{
    (void)state;
    assert_int_equal(stray_sweep(-1), -1);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(what_nobody_holds_is_removed_and_nothing_else),
        in_a_folder(names_are_of_one_shape_and_differ),
        in_a_folder(a_folder_that_is_none_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
