#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "tools/oidc_callback.h"

static const struct oidc_rules rules = {.host = "login.example.org", .state = "st_1,ns=a"};

static struct oidc_request get(const char *target)
{
    return (struct oidc_request){
        .method = "GET", .path = OIDC_CALLBACK_PATH, .target = target, .host = "localhost:8250", .body = "", .body_len = 0};
}

static int status_of(const struct oidc_request *request)
{
    struct oidc_callback callback = {0};
    struct err err;
    int status = oidc_callback_read(&rules, request, &callback, &err);

    oidc_callback_done(&callback);
    return status;
}

#define GOOD "/oidc/callback?code=c%20d&state=st_1%2Cns%3Da"

static void an_answer_with_our_state_counts(void **state)
{
    struct oidc_request request = get(GOOD);
    struct oidc_callback callback;
    struct err err;

    (void)state;
    assert_int_equal(oidc_callback_read(&rules, &request, &callback, &err), 200);
    assert_string_equal(callback.code, "c d");
    assert_string_equal(callback.id_token, "");
    assert_false(callback.posted);
    oidc_callback_done(&callback);
}

static void what_is_posted_counts_before_the_query(void **state)
{
    struct oidc_request request = get(GOOD);
    struct oidc_callback callback;
    struct err err;

    (void)state;
    request.method = "POST";
    request.type = "application/x-www-form-urlencoded; charset=utf-8";
    request.body = "code=posted&id_token=t&more=xxxxx";
    request.body_len = strlen("code=posted&id_token=t");
    assert_int_equal(oidc_callback_read(&rules, &request, &callback, &err), 200);
    assert_string_equal(callback.code, "posted");
    assert_string_equal(callback.id_token, "t");
    assert_true(callback.posted);
    oidc_callback_done(&callback);
    request.type = "text/plain";
    assert_int_equal(status_of(&request), 415);
    request.type = NULL;
    assert_int_equal(status_of(&request), 415);
}

static void another_state_does_not_count(void **state)
{
    static const char *const targets[] = {
        "/oidc/callback",
        "/oidc/callback?",
        "/oidc/callback?code=c",
        "/oidc/callback?code=c&state=",
        "/oidc/callback?code=c&state=st_1",
        "/oidc/callback?code=c&state=st_1%2Cns%3Db",
        "/oidc/callback?state=st_1%2Cns%3Da",
        "/oidc/callback?error=x&state=other",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct oidc_request request = get(targets[i]);

        assert_int_equal(status_of(&request), 400);
    }
}

static void only_our_own_hosts_count(void **state)
{
    static const char *const ours[] = {"localhost",  "LOCALHOST:1", "127.0.0.1:8250",
                                       "[::1]:8250", "[::1]",       "login.example.org:443"};
    static const char *const others[] = {
        "",         "localhost.example.org", "example.org:8250", "127.0.0.10",      "[::2]:8250", "[::1", "::1]", ":8250",
        "localhos", "localhost@example.org", "0.0.0.0",          "localhost:8250:1"};
    struct oidc_request request = get(GOOD);

    (void)state;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        request.host = ours[i];
        assert_int_equal(status_of(&request), 200);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        request.host = others[i];
        assert_int_equal(status_of(&request), 421);
    }
    request.host = NULL;
    assert_int_equal(status_of(&request), 421);
}

static void other_paths_and_methods_are_refused(void **state)
{
    struct oidc_request request = get(GOOD);

    (void)state;
    request.method = "PUT";
    assert_int_equal(status_of(&request), 405);
    request = get(GOOD);
    request.path = "/oidc/callback/";
    assert_int_equal(status_of(&request), 404);
    request.path = "/";
    assert_int_equal(status_of(&request), 404);
}

static void a_refusal_is_an_answer_in_plain_words(void **state)
{
    struct oidc_request request = get("/oidc/callback?error=access_denied&error_description=no%1b%5B31m&state=st_1%2Cns%3Da");
    struct oidc_callback callback = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(oidc_callback_read(&rules, &request, &callback, &err), 200);
    assert_int_equal(err.code, ERR_DENIED);
    assert_string_equal(err.text, "the provider refused: access_denied: no?[31m");
    oidc_callback_done(&callback);
}

static void an_address_is_pasted_in_many_forms(void **state)
{
    static const char *const good[] = {
        "http://localhost:8250/oidc/callback?code=c&state=st_1%2Cns%3Da",
        "  \"http://localhost:8250/oidc/callback?code=c&state=st_1%2Cns%3Da#\"\r",
        "<https://login.example.org/oidc/callback?state=st_1,ns=a&code=c&session_state=x#_=_>",
        "/oidc/callback?code=c&state=st_1%2Cns%3Da",
        "?code=c&state=st_1%2Cns%3Da",
        "code=c&state=st_1%2Cns%3Da",
        "http://localhost:8250/oidc/callback#code=c&state=st_1%2Cns%3Da",
    };
    static const char *const bad[] = {
        "", "?", "#", "http://localhost:8250/oidc/callback", "c", "http://x/?code=c", "code=c&state=x", "=", "%"};
    struct oidc_callback callback;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(oidc_callback_paste(&rules, good[i], &callback, &err), 0);
        assert_string_equal(callback.code, "c");
        oidc_callback_done(&callback);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(oidc_callback_paste(&rules, bad[i], &callback, &err), -1);
        assert_int_equal(err.code, ERR_INPUT);
    }
}

static void a_page_shows_any_words_as_words(void **state)
{
    struct buf page;

    (void)state;
    buf_init_clipped(&page, KIB(16));
    oidc_page(&page, false, "<script>\"'&");
    assert_null(strstr(page.data, "<script>"));
    assert_non_null(strstr(page.data, "&#60;script&#62;&#34;&#39;&#38;"));
    buf_done(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_with_our_state_counts),     cmocka_unit_test(what_is_posted_counts_before_the_query),
        cmocka_unit_test(another_state_does_not_count),        cmocka_unit_test(only_our_own_hosts_count),
        cmocka_unit_test(other_paths_and_methods_are_refused), cmocka_unit_test(a_refusal_is_an_answer_in_plain_words),
        cmocka_unit_test(an_address_is_pasted_in_many_forms),  cmocka_unit_test(a_page_shows_any_words_as_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
