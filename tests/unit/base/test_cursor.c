#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/mem.h"

static void a_cursor_moves_only_over_what_it_took(void **state)
{
    struct cursor cur = cursor_of("12ab", 4);
    uint64_t n;

    (void)state;
    assert_false(cursor_word(&cur, "13"));
    assert_true(cursor_uint(&cur, 10, 99, &n));
    assert_int_equal(n, 12);
    assert_false(cursor_uint(&cur, 10, 99, &n));
    assert_true(cursor_word(&cur, "ab"));
    assert_true(cursor_at_end(&cur));
    assert_int_equal(cursor_peek(&cur), -1);
    assert_false(cursor_char(&cur, '\0'));
}

static void numbers_over_their_maximum_are_refused(void **state)
{
    uint64_t n;

    (void)state;
    assert_true(cursor_whole_uint("18446744073709551615", 10, UINT64_MAX, &n));
    assert_false(cursor_whole_uint("18446744073709551616", 10, UINT64_MAX, &n));
    assert_true(cursor_whole_uint("7777", 8, 07777, &n));
    assert_false(cursor_whole_uint("10000", 8, 07777, &n));
    assert_false(cursor_whole_uint("9", 10, 8, &n));
    assert_false(cursor_whole_uint("", 10, 8, &n));
    assert_false(cursor_whole_uint("+1", 10, 8, &n));
    assert_false(cursor_whole_uint("1 ", 10, 8, &n));
}

static void signed_numbers_reach_both_ends(void **state)
{
    struct cursor low = cursor_of("-9223372036854775808", 20), high = cursor_of("9223372036854775808", 19);
    int64_t n;

    (void)state;
    assert_true(cursor_int(&low, &n));
    assert_true(n == INT64_MIN);
    assert_false(cursor_int(&high, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_moves_only_over_what_it_took),
        cmocka_unit_test(numbers_over_their_maximum_are_refused),
        cmocka_unit_test(signed_numbers_reach_both_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
