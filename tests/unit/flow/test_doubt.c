#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/doubt.h"

#define S ((int64_t)1000)

static const struct reply denied = {.status = 403}, revoked = {.status = 403, .token_invalid = true}, away = {.status = 503};

/* What lookup-self says of a token. */
static const struct reply *good(void)
{
    static struct val_pair ttl[1], data[1];
    static struct reply reply = {.status = 200};

    ttl[0] = (struct val_pair){VAL_KEY("ttl"), val_int(60)};
    data[0] = (struct val_pair){VAL_KEY("data"), val_map(ttl, 1)};
    reply.body = val_map(data, 1);
    return &reply;
}

static int setup(void **state)
{
    static struct doubt doubt;

    doubt_init(&doubt);
    *state = &doubt;
    return 0;
}

static void a_token_found_good_is_not_asked_about_again_at_once(void **state)
{
    struct doubt *doubt = *state;

    assert_true(doubt_is_due(doubt, 100 * S));
    doubt->asked_at = 100 * S;
    assert_true(doubt_answered(doubt, good()));
    assert_false(doubt_is_due(doubt, 129 * S));
    assert_true(doubt_is_due(doubt, 130 * S));
    doubt->worked = true;
    assert_true(doubt_is_due(doubt, 101 * S));
}

/* Many are refused, and each of them is news; the server does not answer the question. */
static void who_does_not_answer_is_not_asked_again_at_once(void **state)
{
    struct doubt *doubt = *state;

    doubt->asked_at = 100 * S;
    assert_int_equal(doubt_refused(doubt, &away), DOUBT_UNKNOWN);
    doubt->worked = true;
    assert_false(doubt_is_due(doubt, 129 * S));
    assert_true(doubt_is_due(doubt, 130 * S));
    doubt->asked_at = 130 * S;
    assert_true(doubt_answered(doubt, good()));
    doubt->worked = true;
    assert_true(doubt_is_due(doubt, 131 * S));
    assert_false(doubt_answered(doubt, &(struct reply){.status = 200})); /* {}: whoever that was, it knows no token */
    assert_true(doubt->worked);
    assert_false(doubt_is_due(doubt, 131 * S));
}

static void a_refused_question_condemns_a_token_once(void **state)
{
    struct doubt *doubt = *state;

    assert_int_equal(doubt_refused(doubt, &denied), DOUBT_BAD);
    doubt_renew(doubt);
    assert_true(doubt->verify); /* the next token is asked about at once, and it is as new as can be */
    assert_int_equal(doubt_refused(doubt, &denied), DOUBT_GOOD);
    assert_int_equal(doubt_refused(doubt, &denied), DOUBT_GOOD);
    doubt->worked = true;
    assert_int_equal(doubt_refused(doubt, &denied), DOUBT_BAD);
}

static void a_server_that_is_plain_is_believed_at_any_time(void **state)
{
    struct doubt *doubt = *state;

    doubt->forbidden = true;
    assert_int_equal(doubt_refused(doubt, &revoked), DOUBT_BAD);
    assert_false(doubt->verify);
}

static void no_answer_is_no_verdict(void **state)
{
    assert_int_equal(doubt_refused(*state, &away), DOUBT_UNKNOWN);
    assert_false(((struct doubt *)*state)->forbidden);
}

static void doubt_after_doubt_waits(void **state)
{
    struct doubt *doubt = *state;

    assert_int_equal(doubt_wait(doubt, 3600 * S, true, 10000 * S), 0);
    assert_int_equal(doubt_wait(doubt, 10 * S, false, 10010 * S), 20 * S); /* nothing ever worked */
    assert_true(doubt_wait(doubt, 30 * S, true, 10040 * S) > 0);
    assert_int_equal(doubt_wait(doubt, 3600 * S, true, 20000 * S), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_token_found_good_is_not_asked_about_again_at_once),
        TEST(who_does_not_answer_is_not_asked_again_at_once),
        TEST(a_refused_question_condemns_a_token_once),
        TEST(a_server_that_is_plain_is_believed_at_any_time),
        TEST(no_answer_is_no_verdict),
        TEST(doubt_after_doubt_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
