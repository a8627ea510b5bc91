#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/retry.h"

static int64_t next(struct retry *retry, int64_t now)
{
    return retry_next(retry, now, NULL);
}

static int64_t next_left(struct retry *retry, int64_t left_ms)
{
    return retry_next(retry, 0, &(struct retry_news){.left_ms = left_ms, .asked_ms = -1});
}

static int64_t next_asked(struct retry *retry, int64_t left_ms, int64_t asked_ms)
{
    return retry_next(retry, 0, &(struct retry_news){.left_ms = left_ms, .asked_ms = asked_ms});
}

static void waits_grow_from_the_floor_to_the_ceiling(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct retry retry;

        retry_init(&retry, &retry_usual);
        for (int64_t most = 2000; most < 300000; most *= 2)
            assert_in_range(next(&retry, 0), most / 2, most);
        for (int i = 0; i < 100; i++)
            assert_in_range(next(&retry, 0), 150000, 300000);
    }
}

static void a_long_wait_is_a_sixth_of_what_is_left_and_half_a_minute_at_least(void **state)
{
    struct retry retry;

    (void)state;
    retry_init(&retry, &retry_usual);
    for (int64_t most = 2000; most <= 32000; most *= 2) /* short ones stay as they are */
        assert_in_range(next_left(&retry, 60000), most / 2, most);
    for (int i = 0; i < 20; i++)
        assert_in_range(next_left(&retry, 60000), 30000, 33000);
    for (int i = 0; i < 20; i++)
        assert_in_range(next_left(&retry, 600000), 100000, 110000);
    assert_in_range(next_left(&retry, 0), 150000, 300000);
}

static void success_counts_only_when_it_has_lasted(void **state)
{
    struct retry retry;

    (void)state;
    retry_init(&retry, &retry_usual);
    for (int i = 0; i < 5; i++)
        (void)next(&retry, 0);
    retry_success(&retry, 1000);
    assert_true(next(&retry, 5000) >= 32000);
    assert_int_equal(retry.failures, 6);
    retry_success(&retry, 10000);
    assert_in_range(next(&retry, 10000 + 65000), 1000, 2000);
    assert_int_equal(retry.failures, 1);
}

static void it_is_untouched_until_something_comes(void **state)
{
    struct retry retry;

    (void)state;
    retry_init(&retry, &retry_usual);
    assert_true(retry_untouched(&retry));
    retry_success(&retry, 1);
    assert_false(retry_untouched(&retry));
    retry_reset(&retry);
    assert_true(retry_untouched(&retry));
    (void)next(&retry, 1);
    assert_false(retry_untouched(&retry));
}

static void the_servers_wish_is_a_lower_bound_with_jitter_upwards(void **state)
{
    struct retry retry;

    (void)state;
    for (int i = 0; i < 100; i++) {
        retry_init(&retry, &retry_usual);
        assert_in_range(next_asked(&retry, CLOCK_NEVER, 7000), 7000, 7700);
    }
}

static void configured_bounds_are_kept(void **state)
{
    const struct retry_policy policy = retry_between(&retry_usual, 100, 5000), same = retry_between(&policy, 0, -1);
    struct retry retry;

    (void)state;
    assert_int_equal(same.first_ms, 100);
    assert_int_equal(same.most_ms, 5000);
    retry_init(&retry, &policy);
    assert_in_range(next(&retry, 0), 100, 200);
    for (int i = 0; i < 1000; i++)
        assert_true(next(&retry, 0) <= 5000);
}

static void a_spread_from_the_first_step_reaches_to_the_end_of_each(void **state)
{
    static const struct retry_policy policy = {RETRY_FROM_FIRST, .first_ms = 1000, .most_ms = 5000};
    int64_t low = INT64_MAX, high = 0;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct retry retry;
        int64_t last;

        retry_init(&retry, &policy);
        assert_in_range(next(&retry, 0), 1000, 2001);
        assert_in_range(next(&retry, 0), 1000, 4001);
        last = next(&retry, 0);
        assert_in_range(last, 1000, 5001);
        low = last < low ? last : low;
        high = last > high ? last : high;
    }
    assert_true(low < 1500 && high > 4500);
}

static void a_spread_without_steps_stays_as_it_is(void **state)
{
    static const struct retry_policy policy = {RETRY_ANYWHERE, .first_ms = 1000, .most_ms = 3000};
    struct retry retry;
    int64_t high = 0;

    (void)state;
    retry_init(&retry, &policy);
    for (int i = 0; i < 2000; i++) {
        int64_t wait = next(&retry, 0);

        assert_in_range(wait, 1000, 3000);
        high = wait > high ? wait : high;
    }
    assert_true(high > 2700);
}

static void it_fails_for_good_once_and_not_before_its_time(void **state)
{
    static const struct retry_policy policy = {RETRY_ANYWHERE, .first_ms = 1000, .most_ms = 1000, .tries = 3};
    struct retry retry;

    (void)state;
    retry_init(&retry, &policy);
    assert_int_equal(next(&retry, 0), 1000);
    assert_int_equal(next(&retry, 1000), 1000);
    assert_int_equal(next(&retry, 1990), 10); /* the last try is made at that very moment */
    assert_false(retry_gave_up(&retry));
    assert_int_equal(next(&retry, 2000), 1000);
    assert_true(retry_gave_up(&retry));
    (void)next(&retry, 3000);
    assert_false(retry_gave_up(&retry));
    retry_reset(&retry);
    (void)next(&retry, 4000);
    assert_int_equal(retry.failures, 1);
    assert_false(retry_gave_up(&retry));
}

/* The n-th step begins at `first_ms` whatever n is. */
static void start(struct retry *retry, struct retry_policy *policy, int64_t first_ms)
{
    *policy = (struct retry_policy){RETRY_ANYWHERE, .first_ms = first_ms, .most_ms = first_ms, .nearest_ms = 1000};
    retry_init(retry, policy);
}

static void tries_come_closer_while_an_answer_runs_out(void **state)
{
    static const struct {
        int64_t first_ms, left_ms, wait_ms;
    } rows[] = {{30000, CLOCK_NEVER, 30000}, {30000, 60000, 10000}, {5000, 60000, 5000}, {30000, 1200, 1000},
                {30000, 0, 30000},           {250, 1200, 250}}; /* what is shorter than the nearest is not made longer */

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct retry_policy policy;
        struct retry retry;

        start(&retry, &policy, rows[i].first_ms);
        assert_in_range(next_left(&retry, rows[i].left_ms), rows[i].wait_ms, rows[i].wait_ms + rows[i].wait_ms / 10);
    }
}

static void who_asks_for_patience_gets_it(void **state)
{
    struct retry_policy policy;
    struct retry retry;

    (void)state;
    start(&retry, &policy, 250);
    assert_in_range(next_asked(&retry, CLOCK_NEVER, 20000), 20000, 22000);
    start(&retry, &policy, 30000);
    assert_in_range(next_asked(&retry, 6000, 20000), 20000, 22000);
    assert_int_equal(next_asked(&retry, CLOCK_NEVER, 20000), 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_grow_from_the_floor_to_the_ceiling),
        cmocka_unit_test(a_long_wait_is_a_sixth_of_what_is_left_and_half_a_minute_at_least),
        cmocka_unit_test(success_counts_only_when_it_has_lasted),
        cmocka_unit_test(it_is_untouched_until_something_comes),
        cmocka_unit_test(the_servers_wish_is_a_lower_bound_with_jitter_upwards),
        cmocka_unit_test(configured_bounds_are_kept),
        cmocka_unit_test(a_spread_from_the_first_step_reaches_to_the_end_of_each),
        cmocka_unit_test(a_spread_without_steps_stays_as_it_is),
        cmocka_unit_test(it_fails_for_good_once_and_not_before_its_time),
        cmocka_unit_test(tries_come_closer_while_an_answer_runs_out),
        cmocka_unit_test(who_asks_for_patience_gets_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
