#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/backoff.h"
#include "base/clock.h"

static void waits_grow_from_the_floor_to_the_ceiling(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct backoff backoff;

        backoff_init(&backoff, 0, 0);
        for (int64_t most = 2000; most < 300000; most *= 2)
            assert_in_range(backoff_next(&backoff, 0, CLOCK_NEVER, -1), most / 2, most);
        for (int i = 0; i < 100; i++)
            assert_in_range(backoff_next(&backoff, 0, CLOCK_NEVER, -1), 150000, 300000);
    }
}

static void no_more_than_a_sixth_of_what_is_left_and_never_below_the_floor(void **state)
{
    struct backoff backoff;

    (void)state;
    backoff_init(&backoff, 0, 0);
    for (int i = 0; i < 20; i++)
        assert_in_range(backoff_next(&backoff, 0, 60000, -1), 1000, 10000);
    assert_int_equal(backoff_next(&backoff, 0, 0, -1), 1000);
}

static void success_counts_only_when_it_has_lasted(void **state)
{
    struct backoff backoff;

    (void)state;
    backoff_init(&backoff, 0, 0);
    for (int i = 0; i < 5; i++)
        (void)backoff_next(&backoff, 0, CLOCK_NEVER, -1);
    backoff_success(&backoff, 1000);
    assert_true(backoff_next(&backoff, 5000, CLOCK_NEVER, -1) >= 32000);
    backoff_success(&backoff, 10000);
    assert_in_range(backoff_next(&backoff, 10000 + 65000, CLOCK_NEVER, -1), 1000, 2000);
}

static void the_servers_wish_is_a_lower_bound_with_jitter_upwards(void **state)
{
    struct backoff backoff;

    (void)state;
    for (int i = 0; i < 100; i++) {
        backoff_init(&backoff, 0, 0);
        assert_in_range(backoff_next(&backoff, 0, CLOCK_NEVER, 7000), 7000, 7700);
    }
}

static void configured_bounds_are_kept(void **state)
{
    struct backoff backoff;

    (void)state;
    backoff_init(&backoff, 100, 5000);
    assert_in_range(backoff_next(&backoff, 0, CLOCK_NEVER, -1), 100, 200);
    for (int i = 0; i < 1000; i++)
        assert_true(backoff_next(&backoff, 0, CLOCK_NEVER, -1) <= 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_grow_from_the_floor_to_the_ceiling),
        cmocka_unit_test(no_more_than_a_sixth_of_what_is_left_and_never_below_the_floor),
        cmocka_unit_test(success_counts_only_when_it_has_lasted),
        cmocka_unit_test(the_servers_wish_is_a_lower_bound_with_jitter_upwards),
        cmocka_unit_test(configured_bounds_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
