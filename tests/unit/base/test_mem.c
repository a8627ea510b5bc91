#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

static void growing_keeps_the_old_and_zeroes_the_new(void **state)
{
    char *p = mem_strdup("abc");

    (void)state;
    p = mem_grow(p, 4, 100);
    assert_string_equal(p, "abc");
    for (size_t i = 4; i < 100; i++)
        assert_int_equal(p[i], 0);
    mem_free(p);
}

static void steal_leaves_null_behind(void **state)
{
    char *p = mem_strdup("x");
    char *q = steal(p);

    (void)state;
    assert_null(p);
    assert_string_equal(q, "x");
    mem_free(q);
}

static void secrets_compare_by_content(void **state)
{
    (void)state;
    assert_true(mem_equal_secret("abc", "abc", 3));
    assert_false(mem_equal_secret("abc", "abd", 3));
    assert_true(mem_equal_secret("abc", "abd", 2));
}

static void wiping_leaves_zeroes(void **state)
{
    char secret[] = "hunter2";

    (void)state;
    mem_wipe_str(secret);
    for (size_t i = 0; i < sizeof(secret); i++)
        assert_int_equal(secret[i], 0);
    mem_wipe_str(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growing_keeps_the_old_and_zeroes_the_new),
        cmocka_unit_test(steal_leaves_null_behind),
        cmocka_unit_test(secrets_compare_by_content),
        cmocka_unit_test(wiping_leaves_zeroes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
