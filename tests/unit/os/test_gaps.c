#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/gaps.h"

static void each_gap_is_kept_with_its_reason_and_no_more_than_there_is_room_for(void **state)
{
    struct gaps gaps = {0};

    (void)state;
    for (int i = 0; i < GAPS_MAX + 3; i++)
        gaps_add(&gaps, "core", "number %d", i);
    assert_int_equal(gaps.count, GAPS_MAX);
    assert_string_equal(gaps.rows[0].what, "core");
    assert_string_equal(gaps.rows[0].reason, "number 0");
    assert_string_equal(gaps.rows[GAPS_MAX - 1].reason, "number 15");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gap_is_kept_with_its_reason_and_no_more_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
