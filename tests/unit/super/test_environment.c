#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "super/environment.h"

static const char *const names[] = {"USER", "PASSWORD"};
static struct environment *environment;
static struct err err;

static int make(void **state)
{
    (void)state;
    environment = environment_new(names, 2);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    environment_free(environment);
    return 0;
}

static void set(const char *name, const char *value)
{
    assert_int_equal(environment_set(environment, name, value, strlen(value), &err), 0);
}

static char *sealed(size_t *ret_len, int *ret_fd)
{
    char *map;

    assert_int_equal(environment_seal(environment, ret_fd, &err), 0);
    assert_int_equal(environment_map(*ret_fd, &map, ret_len), 0);
    assert_non_null(map);
    return map;
}

static void it_is_complete_when_each_variable_has_a_value(void **state)
{
    (void)state;
    set("USER", "app");
    assert_false(environment_complete(environment));
    set("PASSWORD", "");
    assert_true(environment_complete(environment));
}

static void it_differs_until_it_was_accepted_and_after_each_change(void **state)
{
    (void)state;
    set("USER", "a");
    set("PASSWORD", "b");
    assert_true(environment_differs(environment));
    environment_accept(environment);
    assert_false(environment_differs(environment));
    set("PASSWORD", "b");
    assert_false(environment_differs(environment));
    set("PASSWORD", "c");
    assert_true(environment_differs(environment));
    set("PASSWORD", "b");
    assert_false(environment_differs(environment));
}

static void it_goes_over_a_memory_file_and_takes_the_place_of_names_that_were_there(void **state)
{
    static const char *const base[] = {"USER=root", "USERS=1", "HOME=/", NULL};
    const char **merged;
    size_t len;
    char *map;
    int fd;

    (void)state;
    set("USER", "app");
    set("PASSWORD", "a=b\n");
    map = sealed(&len, &fd);
    merged = environment_merge(base, map, len);
    assert_string_equal(merged[0], "USERS=1");
    assert_string_equal(merged[1], "HOME=/");
    assert_string_equal(merged[2], "USER=app");
    assert_string_equal(merged[3], "PASSWORD=a=b\n");
    assert_null(merged[4]);
    mem_free(merged);
    environment_discard(map, len);
    close(fd);
}

/* Whoever has the descriptor finds nothing any more. */
static void what_was_discarded_is_wiped_in_the_memory_file(void **state)
{
    char byte = 'x';
    size_t len;
    char *map;
    int fd;

    (void)state;
    set("USER", "app");
    set("PASSWORD", "b");
    map = sealed(&len, &fd);
    environment_discard(map, len);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(pread(fd, &byte, 1, (off_t)i), 1);
        assert_int_equal(byte, 0);
    }
    close(fd);
}

static void bytes_that_are_no_environment_are_refused(void **state)
{
    int pipes[2], large = memfd_create("large", MFD_CLOEXEC);
    char *map;
    size_t len;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(environment_map(pipes[0], &map, &len), EINVAL);
    close(pipes[0]);
    close(pipes[1]);
    assert_int_equal(ftruncate(large, (off_t)LIMIT_ENVIRONMENT_BYTES + 1), 0);
    assert_int_equal(environment_map(large, &map, &len), EINVAL);
    close(large);
    assert_int_equal(environment_map(-1, &map, &len), EBADF);
}

static void value_with_a_zero_byte_is_refused_and_not_shown(void **state)
{
    (void)state;
    assert_int_equal(environment_set(environment, "USER", "hidden\0too", 10, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "USER"));
    assert_null(strstr(err.text, "hidden"));
}

static void name_that_is_not_its_own_is_refused(void **state)
{
    (void)state;
    assert_int_equal(environment_set(environment, "OTHER", "x", 1, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
}

static void one_variable_is_as_long_as_the_kernel_takes(void **state)
{
    static char value[LIMIT_VARIABLE_BYTES];
    size_t most = LIMIT_VARIABLE_BYTES - strlen("USER=") - 1;

    (void)state;
    memset(value, 'x', sizeof(value));
    assert_int_equal(environment_set(environment, "USER", value, most, &err), 0);
    assert_int_equal(environment_set(environment, "USER", value, most + 1, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_false(environment_complete(environment));
    set("PASSWORD", "");
    assert_true(environment_complete(environment)); /* the old value stays */
}

static void all_together_are_bounded(void **state)
{
    static char value[LIMIT_VARIABLE_BYTES], text[32][8];
    const char *many[32];
    struct environment *large;
    int failed = 0;

    (void)state;
    memset(value, 'x', sizeof(value));
    for (size_t i = 0; i < 32; i++) {
        snprintf(text[i], sizeof(text[i]), "N%zu", i);
        many[i] = text[i];
    }
    large = environment_new(many, 32);
    for (size_t i = 0; i < 32 && !failed; i++)
        failed = environment_set(large, many[i], value, sizeof(value) - 8, &err);
    assert_int_equal(failed, -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.text, "all variables together"));
    assert_true(LIMIT_ENVIRONMENT_BYTES / LIMIT_VARIABLE_BYTES < 32);
    environment_free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_complete_when_each_variable_has_a_value, make, clean),
        cmocka_unit_test_setup_teardown(it_differs_until_it_was_accepted_and_after_each_change, make, clean),
        cmocka_unit_test_setup_teardown(it_goes_over_a_memory_file_and_takes_the_place_of_names_that_were_there, make, clean),
        cmocka_unit_test_setup_teardown(what_was_discarded_is_wiped_in_the_memory_file, make, clean),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_environment_are_refused, make, clean),
        cmocka_unit_test_setup_teardown(value_with_a_zero_byte_is_refused_and_not_shown, make, clean),
        cmocka_unit_test_setup_teardown(name_that_is_not_its_own_is_refused, make, clean),
        cmocka_unit_test_setup_teardown(one_variable_is_as_long_as_the_kernel_takes, make, clean),
        cmocka_unit_test_setup_teardown(all_together_are_bounded, make, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
