#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include "os/discard.h"

static bool is_there(const char *name)
{
    struct stat st;

    return lstat(in_folder(name), &st) == 0;
}

static void a_file_is_removed(void **state)
{
    (void)state;
    put_file(in_folder("token"), "x");
    discard_file(in_folder("token"), false);
    discard_file(in_folder("token"), true);
    assert_false(is_there("token"));
    put_file(in_folder("token"), "x");
    discard_file(in_folder("token"), true);
    assert_false(is_there("token"));
}

static void of_a_link_the_link_or_its_target_is_removed(void **state)
{
    (void)state;
    put_file(in_folder("target"), "x");
    assert_int_equal(symlink("target", in_folder("link")), 0);
    discard_file(in_folder("link"), false);
    assert_true(!is_there("link") && is_there("target"));
    assert_int_equal(symlink("target", in_folder("link")), 0);
    discard_file(in_folder("link"), true);
    assert_true(is_there("link") && !is_there("target"));
}

static void what_is_neither_stays(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(in_folder("fifo"), 0600) | mkdir(in_folder("d"), 0700) | symlink("fifo", in_folder("link")), 0);
    for (unsigned follow = 0; follow < 2; follow++) {
        discard_file(in_folder("fifo"), follow);
        discard_file(in_folder("d"), follow);
    }
    discard_file(in_folder("link"), true);
    assert_true(is_there("fifo") && is_there("d") && is_there("link"));
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_file_is_removed),
        in_a_folder(of_a_link_the_link_or_its_target_is_removed),
        in_a_folder(what_is_neither_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
