#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "sandbox/ttl.h"

static int64_t grant(struct ttl_rules rules, int64_t increment, int64_t age, const char *warning)
{
    _cleanup_buf_ struct buf warnings = {0};
    int64_t r;

    buf_init(&warnings, KIB(4));
    r = ttl_grant(&rules, increment, age, &warnings);
    assert_string_equal(warnings.data, warning);
    return r;
}

static void grants_the_increment_or_the_lenders_ttl_or_the_systems(void **state)
{
    (void)state;
    assert_int_equal(grant((struct ttl_rules){.ttl = 10}, 0, 0, ""), 10);
    assert_int_equal(grant((struct ttl_rules){.ttl = 10}, 30, 0, ""), 30);
    assert_int_equal(grant((struct ttl_rules){0}, 0, 0, ""), TTL_SYSTEM_S);
}

static void grants_shrink_towards_the_maximum_and_end_there(void **state)
{
    static const char warning[] =
        "\"TTL of \\\"10s\\\" exceeded the effective max_ttl of \\\"4s\\\"; TTL value is capped accordingly\"";
    const struct ttl_rules rules = {.ttl = 10, .max_ttl = 30};

    (void)state;
    assert_int_equal(grant(rules, 0, 20, ""), 10);
    assert_int_equal(grant(rules, 0, 26, warning), 4);
    assert_int_equal(grant(rules, 0, 30, ""), 0);
    assert_int_equal(grant(rules, 0, 31, ""), 0);
}

static void the_smallest_maximum_counts(void **state)
{
    (void)state;
    assert_int_equal(grant((struct ttl_rules){.ttl = 5, .max_ttl = 100, .explicit_max_ttl = 20}, 0, 17,
                           "\"TTL of \\\"5s\\\" exceeded the effective max_ttl of \\\"3s\\\"; TTL value is capped accordingly\""),
                     3);
}

static void a_period_is_granted_again_and_again(void **state)
{
    (void)state;
    assert_int_equal(grant((struct ttl_rules){.period = 60, .ttl = 5}, 0, 1000000, ""), 60);
    assert_int_equal(
        grant((struct ttl_rules){.period = 60, .explicit_max_ttl = 100}, 0, 80,
              "\"TTL of \\\"1m\\\" exceeded the effective max_ttl of \\\"20s\\\"; TTL value is capped accordingly\""),
        20);
}

static void durations_print_without_zeroes_at_their_end(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {{0, "0s"},    {59, "59s"},    {60, "1m"},       {400, "6m40s"},
                {3600, "1h"}, {3660, "1h1m"}, {3601, "1h0m1s"}, {2764800, "768h"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[32];

        ttl_print(rows[i].seconds, text, sizeof(text));
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_the_increment_or_the_lenders_ttl_or_the_systems),
        cmocka_unit_test(grants_shrink_towards_the_maximum_and_end_there),
        cmocka_unit_test(the_smallest_maximum_counts),
        cmocka_unit_test(a_period_is_granted_again_and_again),
        cmocka_unit_test(durations_print_without_zeroes_at_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
