#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fetch/fetch_trouble.h"

static const struct retry_policy policy = {RETRY_TENTH_MORE, .first_ms = 250, .most_ms = 30000, .nearest_ms = 1000};

static void what_says_nothing_yet_does_not_count(void **state)
{
    static const struct {
        struct fetch_try try;
        bool unsettled;
    } rows[] = {
        {{.status = 403, .token_age_ms = 4999}, true},
        {{.status = 412, .token_age_ms = 4999}, true},
        {{.status = 403, .token_age_ms = 5000}, false},
        {{.status = 412, .token_age_ms = 5000}, false},
        {{.status = 404, .token_age_ms = 0}, false},
        {{.status = 0, .token_age_ms = 0}, false},
        {{.status = 403, .token_age_ms = 60000, .token_replaced = true}, true},
        {{.status = 403, .token_age_ms = 60000, .token_spent = true}, true},
        {{.status = 412, .token_age_ms = 60000, .token_replaced = true, .token_spent = true}, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(fetch_try_unsettled(&rows[i].try), rows[i].unsettled);
}

static void trouble_lasts_since_its_first_failure(void **state)
{
    struct fetch_trouble trouble;
    struct err err;

    (void)state;
    fetch_trouble_init(&trouble, &policy);
    err_set(&err, ERR_RETRY, "first");
    fetch_trouble_note(&trouble, &err, 503, 1000);
    err_set(&err, ERR_DENIED, "second");
    fetch_trouble_note(&trouble, &err, 403, 2000);
    assert_string_equal(trouble.text, "second");
    assert_true(trouble.since == 1000 && trouble.code == ERR_DENIED && trouble.status == 403);
    fetch_trouble_over(&trouble);
    assert_null(trouble.text);
    fetch_trouble_note(&trouble, &err, 403, 3000);
    assert_int_equal(trouble.since, 3000);
    fetch_trouble_over(&trouble);
}

/* An answer that runs out brings tries closer; a server that asks for patience gets it; an answer begins anew. */
static void waits_bend_to_the_answer_and_the_server(void **state)
{
    struct fetch_trouble trouble;
    struct fetch_try try = {.status = 503, .answer_left_ms = CLOCK_NEVER, .retry_after_ms = -1};

    (void)state;
    fetch_trouble_init(&trouble, &policy);
    for (int i = 0; i < 20; i++)
        fetch_trouble_wait(&trouble, &try, 1000);
    assert_int_equal(trouble.retry.failures, 20);
    assert_in_range(fetch_trouble_wait(&trouble, &try, 1000), 30000, 33000);
    try.answer_left_ms = 12000;
    assert_in_range(fetch_trouble_wait(&trouble, &try, 1000), 2000, 2200);
    try.retry_after_ms = 100000;
    assert_in_range(fetch_trouble_wait(&trouble, &try, 1000), 100000, 110000);
    fetch_trouble_over(&trouble);
    assert_in_range(fetch_trouble_pause(&trouble), 250, 275);
    assert_int_equal(trouble.retry.failures, 0);
}

static void where_the_table_stays_refused_it_is_mostly_asked_alone(void **state)
{
    struct fetch_trouble trouble;
    struct err err;
    unsigned asked = 0;

    (void)state;
    fetch_trouble_init(&trouble, &policy);
    assert_false(fetch_trouble_spares(&trouble));
    err_set(&err, ERR_DENIED, "refused");
    fetch_trouble_note(&trouble, &err, 0, 1000);
    assert_false(fetch_trouble_spares(&trouble)); /* no answer was no refusal */
    fetch_trouble_note(&trouble, &err, 403, 1000);
    for (int i = 0; i < 16; i++)
        asked += !fetch_trouble_spares(&trouble);
    assert_int_equal(asked, 2);
    fetch_trouble_over(&trouble);
}

static void what_wants_a_server_is_hurried_once(void **state)
{
    static const struct {
        int status;
        bool wants;
    } rows[] = {{0, true},    {501, true},  {502, true},  {503, true}, {504, true},
                {500, false}, {429, false}, {404, false}, {403, false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fetch_trouble trouble;
        struct err err;

        fetch_trouble_init(&trouble, &policy);
        assert_false(fetch_trouble_wants_server(&trouble)); /* it does not fail */
        err_set(&err, ERR_RETRY, "failed");
        fetch_trouble_note(&trouble, &err, rows[i].status, 1000);
        assert_int_equal(fetch_trouble_wants_server(&trouble), rows[i].wants);
        fetch_trouble_note(&trouble, &err, rows[i].status, 2000);
        assert_false(fetch_trouble_wants_server(&trouble));
        fetch_trouble_over(&trouble);
        fetch_trouble_note(&trouble, &err, rows[i].status, 3000);
        assert_int_equal(fetch_trouble_wants_server(&trouble), rows[i].wants);
        fetch_trouble_over(&trouble);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_says_nothing_yet_does_not_count),
        cmocka_unit_test(trouble_lasts_since_its_first_failure),
        cmocka_unit_test(waits_bend_to_the_answer_and_the_server),
        cmocka_unit_test(what_wants_a_server_is_hurried_once),
        cmocka_unit_test(where_the_table_stays_refused_it_is_mostly_asked_alone),
    };

    return cmocka_run_group_tests_name("fetch_trouble", tests, NULL, NULL);
}
