#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "local/redact.h"

#define TOKEN "hvs.own"

static const char *redacted(const char *text, struct buf *ret)
{
    _cleanup_buf_ struct buf body;
    struct err err;

    buf_init(&body, KIB(4));
    buf_adds(&body, text);
    buf_init_secret(ret, KIB(4));
    assert_int_equal(redact_body(&body, TOKEN, ret, &err), 0);
    return ret->data;
}

static void redact_concerns_four_paths(void **state)
{
    static const char *const yes[] = {"/v1/auth/token/lookup-self", "/v1/auth/token/renew-self/", "/v1/auth/token/lookup",
                                      "/v1/auth/token/renew"};
    static const char *const no[] = {"/v1/auth/token/lookup-selfish", "/v1/auth/token/create", "/v1/auth/token", "/", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        assert_true(redact_concerns(yes[i]));
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        assert_false(redact_concerns(no[i]));
}

static void redact_takes_the_token_and_its_accessor_out(void **state)
{
    struct buf a, b;

    (void)state;
    assert_string_equal(redacted("{\"data\":{\"id\":\"" TOKEN "\",\"accessor\":\"x\",\"ttl\":5},\"wrap_info\":null}", &a),
                        "{\"data\":{\"ttl\":5},\"wrap_info\":null}\n");
    assert_string_equal(redacted("{\"auth\":{\"client_token\":\"" TOKEN "\",\"accessor\":\"x\",\"policies\":[\"<a>\"]}}", &b),
                        "{\"auth\":{\"accessor\":\"\",\"client_token\":\"\",\"policies\":[\"<a>\"]}}\n");
    buf_done(&a);
    buf_done(&b);
}

static void redact_leaves_the_tokens_of_others_alone(void **state)
{
    static const char other[] = "{ \"data\" : {\"id\":\"hvs.other\",\"accessor\":\"x\"}, \"auth\": 5 }\n", list[] = "[1, 2]";
    struct buf a, b;

    (void)state;
    assert_string_equal(redacted(other, &a), other);
    assert_string_equal(redacted(list, &b), list);
    buf_done(&a);
    buf_done(&b);
}

static void redact_hands_on_nothing_that_it_cannot_read(void **state)
{
    _cleanup_buf_ struct buf body, ret;
    struct err err;

    (void)state;
    buf_init(&body, KIB(4));
    buf_adds(&body, "{\"data\":{\"id\":\"" TOKEN "\"");
    buf_init_secret(&ret, KIB(4));
    assert_int_equal(redact_body(&body, TOKEN, &ret, &err), -1);
    assert_int_equal(ret.len, 0);
    assert_null(strstr(err.text, TOKEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redact_concerns_four_paths),
        cmocka_unit_test(redact_takes_the_token_and_its_accessor_out),
        cmocka_unit_test(redact_leaves_the_tokens_of_others_alone),
        cmocka_unit_test(redact_hands_on_nothing_that_it_cannot_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
