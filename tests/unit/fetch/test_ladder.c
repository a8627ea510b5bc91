#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fetch/ladder.h"

static const struct ladder_options plain;

static int64_t failed(struct retry *ladder, int64_t now, int status)
{
    const struct retry_news news = {.left_ms = CLOCK_NEVER, .asked_ms = -1, .unanswered = ladder_unanswered(status)};

    return retry_next(ladder, now, &news);
}

/* Each is up to a tenth longer. */
#define assert_about(ms, wanted) assert_in_range(ms, wanted, (wanted) + (wanted) / 10)

static void pauses_double_up_to_half_a_minute(void **state)
{
    const struct retry_policy policy = ladder_policy(&plain);
    struct retry ladder;

    (void)state;
    retry_init(&ladder, &policy);
    for (int64_t wanted = 250; wanted < 30000; wanted *= 2)
        assert_about(retry_pause(&ladder), wanted);
    for (unsigned i = 0; i < 100000; i++)
        assert_about(retry_pause(&ladder), 30000);
    retry_reset(&ladder);
    assert_about(retry_pause(&ladder), 250);
}

static void after_ten_minutes_they_are_a_minute(void **state)
{
    const struct retry_policy policy = ladder_policy(&plain);
    struct retry ladder;
    int64_t now = 1000, before = 0;

    (void)state;
    retry_init(&ladder, &policy);
    while (now - 1000 < 600000) {
        before = failed(&ladder, now, 500);
        now += before;
    }
    assert_true(before <= 33000);
    assert_about(failed(&ladder, now, 500), 60000);
}

/* Whatever answer runs out meanwhile, and whenever the originals would have given up. */
static void twelve_tries_in_the_first_minute_and_two_in_each_later_one(void **state)
{
    static const int64_t lefts[] = {1000, 45000, 200000, 400000, 3600000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lefts); i++) {
        for (int status = 403; status <= 503; status += 100) {
            const struct retry_policy policy = ladder_policy(&plain);
            struct retry ladder;
            int64_t times[200], now = 0;
            size_t count = 0;

            retry_init(&ladder, &policy);
            for (; now < 1200000; count++) {
                times[count] = now;
                now += retry_next(&ladder, now,
                                  &(struct retry_news){.left_ms = lefts[i] > now ? lefts[i] - now : 0,
                                                       .asked_ms = -1,
                                                       .unanswered = ladder_unanswered(status)});
            }
            assert_true(times[12] > 60000);
            for (size_t k = 0; k + 2 < count; k++)
                assert_true(times[k] < 60000 || times[k + 2] - times[k] >= 60000);
        }
    }
}

/* When it is said that the originals would have given up, in milliseconds since the first failure; -1: not within a day. */
static int64_t exhausted_after(const struct ladder_options *options, int status)
{
    const struct retry_policy policy = ladder_policy(options);
    struct retry ladder;
    int64_t found = -1, now = 5000;

    retry_init(&ladder, &policy);
    while (now < INT64_C(86400000)) {
        int64_t wait = failed(&ladder, now, status);

        if (retry_gave_up(&ladder)) {
            assert_int_equal(found, -1); /* said once */
            found = now - 5000;
        }
        now += wait;
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

        /* Pauses that are a little longer than the originals' may end a little later, when the last of them crosses the moment.
         */
        if (after < rows[i].after_ms || after > rows[i].after_ms + rows[i].after_ms / 10)
            fail_msg("row %zu: %lld", i, (long long)after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_up_to_half_a_minute),
        cmocka_unit_test(after_ten_minutes_they_are_a_minute),
        cmocka_unit_test(twelve_tries_in_the_first_minute_and_two_in_each_later_one),
        cmocka_unit_test(it_is_exhausted_at_the_very_moment_of_the_originals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
