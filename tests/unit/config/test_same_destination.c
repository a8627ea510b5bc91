#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include "config/same_destination.h"

enum { MOST = 6 };

static void expect(size_t count, const char *const *destinations, const size_t *wanted)
{
    struct config_template templates[MOST];
    const struct config config = {.templates = templates, .template_count = count};
    size_t found[MOST];

    for (size_t i = 0; i < count; i++)
        templates[i] = (struct config_template){.destination = destinations[i]};
    same_destination_find(&config, found);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(found[i], wanted[i]);
}

#define PATHS(...)   ((const char *const[]){__VA_ARGS__})
#define WINNERS(...) ((const size_t[]){__VA_ARGS__})

static void the_last_of_one_destination_is_rendered(void **state)
{
    (void)state;
    expect(0, NULL, NULL);
    expect(1, PATHS("/a"), WINNERS(0));
    expect(3, PATHS("/b", "/a", "/c"), WINNERS(0, 1, 2));
    expect(6, PATHS("/b", "/a", "/b", "/c", "/a", "/b"), WINNERS(5, 4, 5, 3, 4, 5));
}

static void a_destination_is_one_however_it_is_spelled(void **state)
{
    (void)state;
    expect(6, PATHS("/a//b", "/a/./b", "/a/nowhere/../b", "/a/b", "/a/bb", "/b"), WINNERS(3, 3, 3, 3, 4, 5));
}

static void a_relative_one_begins_at_the_working_directory(void **state)
{
    char before[512];

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(folder), 0);
    expect(3, PATHS("x", in_folder("x"), "./y"), WINNERS(1, 1, 2));
    assert_int_equal(chdir(before), 0);
}

static void what_is_missing_shadows_nobody(void **state)
{
    (void)state;
    expect(3, PATHS("", "", "/a"), WINNERS(0, 1, 2));
}

/* They may be pointed elsewhere at any moment. */
static void links_are_not_followed(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("d"), 0755) | symlink("d", in_folder("link")), 0);
    expect(2, PATHS(in_folder("d/x"), in_folder("link/x")), WINNERS(0, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_of_one_destination_is_rendered),
        cmocka_unit_test(a_destination_is_one_however_it_is_spelled),
        cmocka_unit_test(a_relative_one_begins_at_the_working_directory),
        cmocka_unit_test(what_is_missing_shadows_nobody),
        cmocka_unit_test(links_are_not_followed),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
