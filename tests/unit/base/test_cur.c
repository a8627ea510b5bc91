#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cur.h"
#include "base/mem.h"

static void durations_are_read_as_vault_reads_them(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"90", 90000},      {"90s", 90000},       {"5m", 300000},  {"1h30m", 5400000}, {"250ms", 250}, {"1.5h", 5400000},
        {"7d", 604800000}, {"0", 0},             {"-5s", -5000},  {".5s", 500},       {"1h0m1s", 3601000},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err;
        int64_t ms;

        assert_int_equal(cur_duration(rows[i].text, strlen(rows[i].text), &ms, &err), 0);
        assert_int_equal(ms, rows[i].ms);
    }
}

static void what_is_not_a_duration_is_refused(void **state)
{
    static const char *const rows[] = {"", "-", "s", "5x", "1h5", "5 s", "1e3s", "99999999999999999999", "400000h0d9999d"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        int64_t ms = 7;

        assert_int_equal(cur_duration(rows[i], strlen(rows[i]), &ms, &err), -1);
        assert_int_equal(err.code, ERR_INPUT);
        assert_int_equal(ms, 7);
    }
}

static void a_cursor_moves_only_over_what_it_took(void **state)
{
    struct cur cur = cur_of("12ab", 4);
    uint64_t n;

    (void)state;
    assert_false(cur_word(&cur, "13"));
    assert_true(cur_uint(&cur, 10, 99, &n));
    assert_int_equal(n, 12);
    assert_false(cur_uint(&cur, 10, 99, &n));
    assert_true(cur_word(&cur, "ab"));
    assert_true(cur_at_end(&cur));
    assert_int_equal(cur_peek(&cur), -1);
    assert_false(cur_char(&cur, '\0'));
}

static void numbers_over_their_maximum_are_refused(void **state)
{
    uint64_t n;

    (void)state;
    assert_true(cur_whole_uint("18446744073709551615", 10, UINT64_MAX, &n));
    assert_false(cur_whole_uint("18446744073709551616", 10, UINT64_MAX, &n));
    assert_true(cur_whole_uint("7777", 8, 07777, &n));
    assert_false(cur_whole_uint("10000", 8, 07777, &n));
    assert_false(cur_whole_uint("9", 10, 8, &n));
    assert_false(cur_whole_uint("", 10, 8, &n));
    assert_false(cur_whole_uint("+1", 10, 8, &n));
    assert_false(cur_whole_uint("1 ", 10, 8, &n));
}

static void signed_numbers_reach_both_ends(void **state)
{
    struct cur low = cur_of("-9223372036854775808", 20), high = cur_of("9223372036854775808", 19);
    int64_t n;

    (void)state;
    assert_true(cur_int(&low, &n));
    assert_true(n == INT64_MIN);
    assert_false(cur_int(&high, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_as_vault_reads_them), cmocka_unit_test(what_is_not_a_duration_is_refused),
        cmocka_unit_test(a_cursor_moves_only_over_what_it_took),  cmocka_unit_test(numbers_over_their_maximum_are_refused),
        cmocka_unit_test(signed_numbers_reach_both_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
