#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fake_clock.c"
#include "vault/budget.h"

static unsigned take_all(struct budget *budget)
{
    unsigned n = 0;

    while (budget_take(budget, false) == 0)
        n++;
    return n;
}

static void a_burst_goes_at_once_and_then_ten_a_second(void **state)
{
    struct budget budget;

    (void)state;
    budget_init(&budget, 10, 20);
    assert_int_equal(take_all(&budget), 20);
    assert_int_equal(budget_take(&budget, false), 100);
    fake_clock_forward(99);
    assert_int_equal(budget_take(&budget, false), 1);
    fake_clock_forward(1);
    assert_int_equal(take_all(&budget), 1);
    fake_clock_forward(1000);
    assert_int_equal(take_all(&budget), 10);
}

static void a_pause_saves_no_more_than_one_burst(void **state)
{
    struct budget budget;

    (void)state;
    budget_init(&budget, 10, 20);
    take_all(&budget);
    fake_clock_forward((int64_t)1 << 60);
    assert_int_equal(take_all(&budget), 20);
}

static void exempt_requests_neither_wait_nor_use_up(void **state)
{
    struct budget budget;

    (void)state;
    budget_init(&budget, 10, 20);
    take_all(&budget);
    for (int i = 0; i < 100; i++)
        assert_int_equal(budget_take(&budget, true), 0);
    fake_clock_forward(100);
    assert_int_equal(take_all(&budget), 1);
    assert_int_equal(budget.requests, 121);
}

static void what_somebody_set_holds_for_every_request(void **state)
{
    struct budget budget;

    (void)state;
    budget_init_strict(&budget, 500, 1);
    assert_int_equal(budget_take(&budget, true), 0);
    assert_int_equal(budget_take(&budget, true), 2000);
    fake_clock_forward(1999);
    assert_int_equal(budget_take(&budget, false), 1);
    fake_clock_forward(1);
    assert_int_equal(budget_take(&budget, true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_goes_at_once_and_then_ten_a_second),
        cmocka_unit_test(a_pause_saves_no_more_than_one_burst),
        cmocka_unit_test(exempt_requests_neither_wait_nor_use_up),
        cmocka_unit_test(what_somebody_set_holds_for_every_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
