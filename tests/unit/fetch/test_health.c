#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "fetch/health.h"

static struct err err;

static struct health good(void)
{
    struct health health;

    health_init(&health);
    health.rendered = health.token = 1;
    return health;
}

static void all_is_well_for_every_purpose(void **state)
{
    const struct health health = good();

    (void)state;
    for (enum health_purpose purpose = HEALTH_STARTUP; purpose <= HEALTH_LIVENESS; purpose++)
        assert_int_equal(health_judge(&health, purpose, 0, &err), 0);
}

static void what_is_behind_is_named(void **state)
{
    struct health health = good();

    (void)state;
    health.rendered = 0;
    memcpy(health.behind, "template[1] waits", 18);
    assert_int_equal(health_judge(&health, HEALTH_STARTUP, 0, &err), -1);
    assert_non_null(strstr(err.text, "template[1] waits"));
    assert_int_equal(health_judge(&health, HEALTH_READINESS, 0, &err), -1);
    assert_int_equal(health_judge(&health, HEALTH_LIVENESS, 0, &err), 0);
}

static void errors_count_when_they_last(void **state)
{
    struct health health = good();

    (void)state;
    clock_turn();
    health_note(&health, clock_now() - 1000, "young");
    health_note(&health, clock_now() - 5000, "old");
    health_note(&health, clock_now() - 2000, "younger");
    assert_string_equal(health.trouble, "old");
    assert_int_equal(health_judge(&health, HEALTH_READINESS, 6000, &err), 0);
    assert_int_equal(health_judge(&health, HEALTH_READINESS, 5000, &err), -1);
    assert_string_equal(err.text, "for 5 s: old");
    assert_int_equal(health_judge(&health, HEALTH_STARTUP, 0, &err), 0);
}

static void no_token_is_never_ready(void **state)
{
    struct health health = good();

    (void)state;
    health.token = 0;
    assert_int_equal(health_judge(&health, HEALTH_READINESS, 60000, &err), -1);
    assert_int_equal(health_judge(&health, HEALTH_STARTUP, 0, &err), 0);
}

static void trouble_that_has_ended_leaves_no_words(void **state)
{
    struct trouble trouble = {0};
    struct health health;
    struct err cause;

    (void)state;
    (void)!err_set(&cause, ERR_DENIED, "permission denied");
    trouble_begin(&trouble, &cause);
    trouble_end(&trouble);
    assert_string_equal(trouble.err.text, "");
    health_init(&health);
    health_note_trouble(&health, &trouble);
    assert_int_equal(health.trouble_ms, -1);
}

static void only_answers_of_the_same_version_are_taken(void **state)
{
    struct health health = good(), got;

    (void)state;
    memset(health.trouble, 'x', sizeof(health.trouble));
    assert_true(health_read(&health, sizeof(health), &got));
    assert_int_equal(strlen(got.trouble), sizeof(got.trouble) - 1);
    assert_false(health_read(&health, sizeof(health) - 1, &got));
    health.version++;
    assert_false(health_read(&health, sizeof(health), &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_well_for_every_purpose),
        cmocka_unit_test(what_is_behind_is_named),
        cmocka_unit_test(errors_count_when_they_last),
        cmocka_unit_test(no_token_is_never_ready),
        cmocka_unit_test(trouble_that_has_ended_leaves_no_words),
        cmocka_unit_test(only_answers_of_the_same_version_are_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
