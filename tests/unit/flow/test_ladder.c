#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/ladder.h"

static const struct ladder_options plain;

/* Each is up to a tenth longer. */
#define assert_about(ms, wanted) assert_in_range(ms, wanted, (wanted) + (wanted) / 10)

static void pauses_double_up_to_half_a_minute(void **state)
{
    struct ladder ladder = {0};

    (void)state;
    for (int64_t wanted = 250; wanted < 30000; wanted *= 2)
        assert_about(ladder_pause(&ladder, &plain), wanted);
    for (unsigned i = 0; i < 100000; i++)
        assert_about(ladder_pause(&ladder, &plain), 30000);
    ladder_reset(&ladder);
    assert_about(ladder_pause(&ladder, &plain), 250);
}

static void after_ten_minutes_they_are_a_minute(void **state)
{
    struct ladder ladder = {0};
    int64_t now = 1000, before = 0;

    (void)state;
    while (now - 1000 < 600000) {
        before = ladder_failed(&ladder, &plain, now, 500).wait_ms;
        now += before;
    }
    assert_true(before <= 33000);
    assert_about(ladder_failed(&ladder, &plain, now, 500).wait_ms, 60000);
}

/* When it is said that the originals would have given up, in milliseconds since the first failure; -1: not within a day. */
static int64_t exhausted_after(const struct ladder_options *options, int status)
{
    struct ladder ladder = {0};
    int64_t found = -1, now = 5000;

    while (now < INT64_C(86400000)) {
        struct ladder_step step = ladder_failed(&ladder, options, now, status);

        if (step.exhausted) {
            assert_int_equal(found, -1); /* said once */
            found = now - 5000;
        }
        now += step.wait_ms;
    }
    return found;
}

static void it_is_exhausted_at_the_very_moment_of_the_originals(void **state)
{
    static const struct {
        int retries, status;
        int64_t base_ms, cap_ms, after_ms;
    } rows[] = {
        {5, 403, 0, 0, 250 + 500 + 1000 + 2000 + 4000},
        {5, 501, 0, 0, 250 + 500 + 1000 + 2000 + 4000},
        {5, 500, 0, 0, 7750 + 6 * 3750},
        {5, 0, 0, 0, 7750 + 6 * 3750},
        {5, 429, 0, 0, 7750 + 6 * 3750},
        {5, 412, 0, 0, 7750 + 6 * 3750},
        {3, 403, 1000, 2000, 1000 + 2000 + 2000},
        {0, 403, 0, 0, 250 + 500 + 1000 + 2000 + 4000 + 8000 + 16000 + 32000 + 4 * 60000},
        {-1, 403, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct ladder_options options = {rows[i].retries, rows[i].base_ms, rows[i].cap_ms};
        int64_t after = exhausted_after(&options, rows[i].status);

        /* Pauses that are a little longer than the originals' may end a little later, when the last of them crosses the moment. */
        if (after < rows[i].after_ms || after > rows[i].after_ms + rows[i].after_ms / 10)
            fail_msg("row %zu: %lld", i, (long long)after);
    }
}

static void tries_come_closer_while_an_answer_runs_out(void **state)
{
    (void)state;
    assert_int_equal(ladder_bend(30000, CLOCK_NEVER, -1), 30000);
    assert_int_equal(ladder_bend(30000, 60000, -1), 10000);
    assert_int_equal(ladder_bend(5000, 60000, -1), 5000);
    assert_int_equal(ladder_bend(30000, 1200, -1), 1000);
    assert_int_equal(ladder_bend(30000, 0, -1), 30000);
}

static void who_asks_for_patience_gets_it(void **state)
{
    (void)state;
    assert_about(ladder_bend(250, CLOCK_NEVER, 20000), 20000);
    assert_about(ladder_bend(30000, 6000, 20000), 20000);
    assert_int_equal(ladder_bend(30000, CLOCK_NEVER, 20000), 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_up_to_half_a_minute),
        cmocka_unit_test(after_ten_minutes_they_are_a_minute),
        cmocka_unit_test(it_is_exhausted_at_the_very_moment_of_the_originals),
        cmocka_unit_test(tries_come_closer_while_an_answer_runs_out),
        cmocka_unit_test(who_asks_for_patience_gets_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
