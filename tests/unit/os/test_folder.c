#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "os/folder.h"

static const char *const names[] = {"b", "a", "C"};

static void in_folder(char path[64], const char *folder, const char *name)
{
    snprintf(path, 64, "%s/%s", folder, name);
}

static int setup(void **state)
{
    char path[64], *folder = mem_strdup("/tmp/test_folder.XXXXXX");

    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        in_folder(path, folder, names[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    *state = folder;
    return 0;
}

static int teardown(void **state)
{
    char path[64];

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        in_folder(path, *state, names[i]);
        rmdir(path);
    }
    rmdir(*state);
    mem_free(*state);
    return 0;
}

static void folder_lists_its_names_sorted(void **state)
{
    _cleanup_arena_ struct arena arena;
    const char *const *list;
    size_t count;
    struct err err;

    arena_init(&arena, KIB(64), "names");
    assert_int_equal(folder_list(*state, 3, &arena, &list, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_string_equal(list[0], "C");
    assert_string_equal(list[1], "a");
    assert_string_equal(list[2], "b");
}

static void folder_list_is_bounded(void **state)
{
    _cleanup_arena_ struct arena arena;
    const char *const *list;
    size_t count;
    struct err err;

    arena_init(&arena, KIB(64), "names");
    assert_int_equal(folder_list(*state, 2, &arena, &list, &count, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void folder_that_is_not_there_is_named(void **state)
{
    _cleanup_arena_ struct arena arena;
    const char *const *list;
    size_t count;
    struct err err;

    (void)state;
    arena_init(&arena, KIB(64), "names");
    assert_int_equal(folder_list("/nowhere/at/all", 2, &arena, &list, &count, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    assert_false(folder_is("/nowhere/at/all"));
    assert_false(folder_is("/dev/null"));
    assert_true(folder_is(*state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_lists_its_names_sorted),
        cmocka_unit_test(folder_list_is_bounded),
        cmocka_unit_test(folder_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
