#include "asking.h"

#include "inject/effort.h"

static void it_grows_with_the_review_up_to_a_maximum(void **state)
{
    struct effort effort;
    struct err err;

    (void)state;
    effort_init(&effort, 1000);
    assert_int_equal(effort.left, LIMIT_REVIEW_EFFORT_BASE + 1000 * LIMIT_REVIEW_EFFORT_FACTOR);
    assert_int_equal(effort_spend(&effort, effort.left, &err), 0);
    assert_int_equal(effort_check(&effort, &err), 0);
    assert_int_equal(effort_spend(&effort, 1, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    effort_init(&effort, LIMIT_REVIEW_BYTES);
    assert_int_equal(effort.left, LIMIT_REVIEW_EFFORT_BYTES);
}

static void what_could_not_be_paid_is_remembered(void **state)
{
    struct effort effort;
    struct err err;

    (void)state;
    effort_init(&effort, 0);
    assert_int_equal(effort_spend(&effort, SIZE_MAX, &err), -1);
    assert_int_equal(effort_spend(&effort, 0, &err), -1);
    assert_int_equal(effort_check(&effort, &err), -1);
    assert_non_null(strstr(err.text, "over 262144 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_grows_with_the_review_up_to_a_maximum),
        cmocka_unit_test(what_could_not_be_paid_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
