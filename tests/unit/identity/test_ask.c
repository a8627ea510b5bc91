#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "identity/ask.h"

static void begins(const char *url, const char *origin, const char *path)
{
    _cleanup_ask_ struct ask ask;
    struct err err;

    assert_int_equal(ask_begin(&ask, "GET", url, &err), 0);
    assert_string_equal(ask.origin, origin);
    assert_string_equal(ask.path.data, path);
}

static void a_url_is_an_origin_and_a_path(void **state)
{
    static const char *const bad[] = {"", "/path", "example.com/x", "https://", "https:///x", "https://?x", "gopherplus://x"};
    struct ask ask;
    struct err err;

    (void)state;
    begins("http://169.254.169.254/latest/api/token", "http://169.254.169.254", "/latest/api/token");
    begins("https://sts.amazonaws.com", "https://sts.amazonaws.com", "/");
    begins("http://[fd00:ec2::23]:80?a=b", "http://[fd00:ec2::23]:80", "/?a=b");
    begins("https://a.example/x?y=z#part", "https://a.example", "/x?y=z");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(ask_begin(&ask, "GET", bad[i], &err), -1);
        assert_int_equal(err.code, ERR_INPUT);
    }
}

static void forms_and_queries_are_encoded(void **state)
{
    _cleanup_ask_ struct ask ask;
    struct err err;

    (void)state;
    assert_int_equal(ask_begin(&ask, "POST", "https://a.example/x", &err), 0);
    ask_query(&ask, "resource", "https://vault.example/ a");
    ask_query(&ask, "b", "\xc3\xa9&=");
    ask_form(&ask, "grant_type", "urn:a+b");
    ask_form(&ask, "scope", "x/.default");
    assert_string_equal(ask.path.data, "/x?resource=https%3A%2F%2Fvault.example%2F%20a&b=%C3%A9%26%3D");
    assert_string_equal(ask.body.data, "grant_type=urn%3Aa%2Bb&scope=x%2F.default");
    assert_int_equal(ask.header_count, 1);
    assert_string_equal(ask.headers[0].value.data, "application/x-www-form-urlencoded");
    assert_true(ask.body.secret && ask.path.secret && ask.headers[0].value.secret);
    assert_int_equal(ask_check(&ask, &err), 0);
}

static void what_does_not_fit_is_refused(void **state)
{
    static char text[LIMIT_ASK_BYTES + 1];
    _cleanup_ask_ struct ask ask;
    struct err err;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    assert_int_equal(ask_begin(&ask, "POST", "https://a.example/x", &err), 0);
    ask_form(&ask, "assertion", text);
    assert_int_equal(ask_check(&ask, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void says(struct told told, enum err_code code, const char *text)
{
    _cleanup_arena_ struct arena arena;
    struct val object;
    struct err err;

    arena_init_secret(&arena, LIMIT_TOLD_BYTES, "answer");
    told.challenge = "";
    assert_int_equal(told_object(&told, "metadata", &arena, &object, &err), -1);
    assert_int_equal(err.code, code);
    assert_string_equal(err.text, text);
}

static void answers_are_judged_without_a_word_of_them(void **state)
{
    struct err refused;

    (void)state;
    err_set(&refused, ERR_RETRY, "http://169.254.169.254: connection refused");
    says((struct told){.err = &refused}, ERR_RETRY, "metadata: http://169.254.169.254: connection refused");
    says((struct told){.status = 503, .body = STR("hunter2")}, ERR_RETRY, "metadata: answered with status 503");
    says((struct told){.status = 404, .body = STR("<html>hunter2")}, ERR_DENIED, "metadata: refused with status 404");
    says((struct told){.status = 302, .body = STR("")}, ERR_DENIED, "metadata: refused with status 302");
    says((struct told){.status = 200, .body = STR("[1]")}, ERR_INPUT, "metadata: the answer is no JSON object");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_an_origin_and_a_path),
        cmocka_unit_test(forms_and_queries_are_encoded),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(answers_are_judged_without_a_word_of_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
