#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fetch/fetch_answer.h"

static const struct fetch_options options;
static struct fetch_answer answer;
static struct err err;

static struct dep *make(enum dep_kind kind)
{
    struct val arg = val_cstr("common_name=a");
    struct dep *dep;

    assert_int_equal(dep_new(kind, STR("p/a"), &arg, kind == DEP_PKI, "/nowhere", &dep, &err), 0);
    return dep;
}

static int take(enum dep_kind kind, int status, const char *body)
{
    const struct fetch_asked asked = {.at = clock_now()};
    struct dep *dep = make(kind);
    struct reply reply;
    int failed;

    if (reply_parse(&reply, status, body, strlen(body), "GET", &err) != 0)
        assert_int_equal(reply.status, status);
    failed = fetch_answer_from_reply(dep, &reply, &asked, &options, &answer, &err);
    reply_done(&reply);
    dep_unref(dep);
    return failed;
}

static void assert_next(int64_t low_s, int64_t high_s)
{
    assert_in_range(answer.next_at - clock_now(), low_s * 1000, high_s * 1000);
    secret_free(answer.secret);
}

static void an_answer_says_when_to_ask_anew(void **state)
{
    (void)state;
    clock_turn();
    assert_int_equal(take(DEP_READ, 200, "{\"data\":{\"v\":1}}"), 0);
    assert_next(255, 300);
    assert_int_equal(take(DEP_READ, 200, "{\"lease_id\":\"l\",\"lease_duration\":100,\"data\":{\"v\":1}}"), 0);
    assert_next(85, 95);
    assert_int_equal(take(DEP_READ, 200, "{\"lease_id\":\"l\",\"lease_duration\":90,\"renewable\":true,\"data\":{\"v\":1}}"), 0);
    assert_next(1, 89); /* it is renewed before it ends */
}

static void a_listing_is_its_names_and_a_folder_that_is_not_there_is_empty(void **state)
{
    (void)state;
    clock_turn();
    assert_int_equal(take(DEP_LIST, 200, "{\"data\":{\"keys\":[\"b\",\"a\"]}}"), 0);
    assert_int_equal(answer.secret->reply.list.len, 2);
    assert_next(255, 300);
    assert_int_equal(take(DEP_LIST, 404, "{\"errors\":[]}"), 0);
    assert_int_equal(answer.secret->reply.list.len, 0);
    assert_next(255, 300);
}

/* Nothing is no answer; what is being rotated is none yet; errors name the dep. */
static void what_holds_nothing_is_asked_for_again(void **state)
{
    static const struct {
        enum dep_kind kind;
        const char *body;
    } rows[] = {
        {DEP_READ, "{}"},
        {DEP_LIST, "{\"data\":{\"keys\":[7]}}"},
        {DEP_PKI, "{\"data\":{}}"},
        {DEP_READ, "{\"data\":{\"rotation_period\":60,\"last_vault_rotation\":\"2026\",\"ttl\":0}}"},
    };

    (void)state;
    clock_turn();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(take(rows[i].kind, 200, rows[i].body), -1);
        assert_non_null(strstr(err.text, "p/a"));
    }
}

static void a_certificate_that_is_not_there_or_was_handed_over_in_vain_is_none(void **state)
{
    struct dep *dep = make(DEP_PKI);

    (void)state;
    assert_false(fetch_answer_from_file(dep, &options, &answer));
    assert_int_equal(fetch_answer_from_handed(dep, secret_new(), &options, &answer, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
    dep_unref(dep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_says_when_to_ask_anew),
        cmocka_unit_test(a_listing_is_its_names_and_a_folder_that_is_not_there_is_empty),
        cmocka_unit_test(what_holds_nothing_is_asked_for_again),
        cmocka_unit_test(a_certificate_that_is_not_there_or_was_handed_over_in_vain_is_none),
    };

    return cmocka_run_group_tests_name("fetch_answer", tests, NULL, NULL);
}
