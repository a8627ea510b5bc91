#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "vault/lease.h"

static struct lease leased(int64_t seconds, bool renewable)
{
    struct lease lease;

    lease_begin(&lease, "id", seconds, renewable, 0);
    return lease;
}

static void a_renewable_lease_is_renewed_at_about_seventy_percent(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct lease lease = leased(3600, true);
        int64_t at;

        assert_int_equal(lease_next(&lease, &at), LEASE_RENEW);
        assert_in_range(at, 2500000, 2650000);
    }
}

static void a_lease_that_cannot_be_renewed_is_replaced_in_its_last_fifth(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct lease lease = leased(3600, false);
        int64_t at;

        assert_int_equal(lease_next(&lease, &at), LEASE_REPLACE);
        assert_in_range(at, 2880000, 3240000);
    }
}

static void what_has_no_end_waits_for_ever(void **state)
{
    struct lease lease = leased(0, true);
    int64_t at;

    (void)state;
    assert_int_equal(lease_next(&lease, &at), LEASE_WAIT_FOR_EVER);
    assert_true(at == CLOCK_NEVER && lease_end(&lease) == CLOCK_NEVER && lease_left(&lease, 5) == CLOCK_NEVER);
}

static void a_shortened_grant_is_replaced_and_not_renewed_again(void **state)
{
    struct lease lease = leased(100, true);
    int64_t at;

    (void)state;
    assert_int_equal(lease_renewed(&lease, "id", 99, true, 70000), LEASE_GRANTED); /* a second is lost on the way */
    assert_int_equal(lease_next(&lease, &at), LEASE_RENEW);
    assert_int_equal(lease_renewed(&lease, "id", 60, true, 140000), LEASE_CAPPED);
    assert_int_equal(lease_next(&lease, &at), LEASE_REPLACE);
    assert_in_range(at, 180000, 190000);
    assert_int_equal(lease_end(&lease), 200000);
}

static void a_grant_shorter_than_the_grace_is_replaced_at_once(void **state)
{
    struct lease lease = leased(100, true);
    int64_t at;

    (void)state;
    assert_int_equal(lease_renewed(&lease, "id", 5, true, 90000), LEASE_CAPPED);
    assert_int_equal(lease_next(&lease, &at), LEASE_REPLACE);
    assert_true(at <= 91000);
}

static void a_longer_grant_is_the_new_measure(void **state)
{
    struct lease lease = leased(10, true);

    (void)state;
    assert_int_equal(lease_renewed(&lease, "id", 100, true, 7000), LEASE_GRANTED);
    assert_int_equal(lease_renewed(&lease, "id", 50, true, 70000), LEASE_CAPPED);
}

static void odd_answers_to_renewals_are_anomalies_and_change_nothing(void **state)
{
    struct lease lease = leased(100, true);

    (void)state;
    assert_int_equal(lease_renewed(&lease, "other", 100, true, 70000), LEASE_ANOMALY);
    assert_int_equal(lease_renewed(&lease, "id", 0, true, 70000), LEASE_ANOMALY);
    assert_int_equal(lease_end(&lease), 100000);
    assert_int_equal(lease_renewed(&lease, "", 100, true, 70000), LEASE_GRANTED);
}

static void a_renewal_that_ends_renewability_leads_to_replacement(void **state)
{
    struct lease lease = leased(100, true);
    int64_t at;

    (void)state;
    assert_int_equal(lease_renewed(&lease, "id", 100, false, 70000), LEASE_CAPPED);
    assert_int_equal(lease_next(&lease, &at), LEASE_REPLACE);
}

static void nothing_happens_more_often_than_once_a_second(void **state)
{
    struct lease lease = leased(1, true);
    int64_t at;

    (void)state;
    assert_int_equal(lease_next(&lease, &at), LEASE_RENEW);
    assert_int_equal(at, 1000);
    assert_int_equal(lease_replace_at(&lease), 1000);
}

static void an_id_that_does_not_fit_makes_a_lease_that_cannot_be_renewed(void **state)
{
    char id[LEASE_ID_MAX + 1];
    struct lease lease;

    (void)state;
    memset(id, 'x', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    lease_begin(&lease, id, 100, true, 0);
    assert_false(lease.renewable);
    assert_string_equal(lease.id, "");
    id[LEASE_ID_MAX - 1] = '\0';
    lease_begin(&lease, id, 100, true, 0);
    assert_true(lease.renewable);
}

static void seconds_are(struct val v, int64_t seconds, bool odd)
{
    bool is_odd = false;

    assert_int_equal(lease_seconds(&v, &is_odd), seconds);
    assert_int_equal(is_odd, odd);
}

static void seconds_out_of_range_count_as_zero_and_are_told(void **state)
{
    bool odd = false;

    (void)state;
    seconds_are(val_number("3600", 4), 3600, false);
    seconds_are(val_number("0", 1), 0, false);
    seconds_are(val_null(), 0, false);
    assert_int_equal(lease_seconds(NULL, &odd), 0);
    assert_false(odd);
    seconds_are(val_number("-1", 2), 0, true);
    seconds_are(val_number("17179869184", 11), 0, true);
    seconds_are(val_number("315360000", 9), 315360000, false);
    seconds_are(val_number("315360001", 9), 0, true);
    seconds_are(val_number("1e30", 4), 0, true);
    seconds_are(val_number("1.5", 3), 0, true);
    seconds_are(val_number("99999999999999999999999", 23), 0, true);
    seconds_are(val_cstr("60"), 0, true);
    seconds_are(val_bool(true), 0, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_renewable_lease_is_renewed_at_about_seventy_percent),
        cmocka_unit_test(a_lease_that_cannot_be_renewed_is_replaced_in_its_last_fifth),
        cmocka_unit_test(what_has_no_end_waits_for_ever),
        cmocka_unit_test(a_shortened_grant_is_replaced_and_not_renewed_again),
        cmocka_unit_test(a_grant_shorter_than_the_grace_is_replaced_at_once),
        cmocka_unit_test(a_longer_grant_is_the_new_measure),
        cmocka_unit_test(odd_answers_to_renewals_are_anomalies_and_change_nothing),
        cmocka_unit_test(a_renewal_that_ends_renewability_leads_to_replacement),
        cmocka_unit_test(nothing_happens_more_often_than_once_a_second),
        cmocka_unit_test(an_id_that_does_not_fit_makes_a_lease_that_cannot_be_renewed),
        cmocka_unit_test(seconds_out_of_range_count_as_zero_and_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
