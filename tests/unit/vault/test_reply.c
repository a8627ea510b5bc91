#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "vault/reply.h"

static void says(int status, const char *body, enum err_code code, const char *text)
{
    struct reply reply;
    struct err err = {0};

    assert_int_equal(reply_parse(&reply, status, body, strlen(body), "GET secret/app", &err), code == ERR_NONE ? 0 : -1);
    assert_int_equal(err.code, code);
    if (text)
        assert_string_equal(err.text, text);
    assert_null(strstr(err.text, "canary"));
    reply_done(&reply);
}

static void every_status_has_its_class(void **state)
{
    (void)state;
    says(200, "{\"data\":{}}", ERR_NONE, NULL);
    says(204, "", ERR_NONE, NULL);
    says(200, "", ERR_NONE, NULL);
    says(400, "", ERR_INPUT, "GET secret/app: 400 bad request");
    says(403, "", ERR_DENIED, "GET secret/app: 403 permission denied");
    says(404, "", ERR_MISSING, "GET secret/app: 404 not found");
    says(412, "", ERR_RETRY, NULL);
    says(413, "", ERR_LIMIT, NULL);
    says(429, "", ERR_RETRY, NULL);
    says(472, "", ERR_RETRY, NULL);
    says(473, "", ERR_RETRY, NULL);
    says(501, "", ERR_RETRY, "GET secret/app: 501 the server is not initialised");
    says(503, "", ERR_RETRY, NULL);
    says(599, "", ERR_RETRY, "GET secret/app: 599 unexpected status");
    says(418, "", ERR_INPUT, "GET secret/app: 418 unexpected status");
    says(302, "", ERR_INPUT, NULL);
}

static void only_well_known_words_of_the_server_are_passed_on(void **state)
{
    (void)state;
    says(403, "{\"errors\":[\"canary\"]}", ERR_DENIED, "GET secret/app: 403 permission denied");
    says(403, "{\"errors\":[\"1 error occurred:\\n\\t* permission denied\\n\\ncanary\"]}", ERR_DENIED,
         "GET secret/app: 403 permission denied");
    says(503, "{\"errors\":[\"Vault is sealed: canary\"]}", ERR_RETRY,
         "GET secret/app: 503 the server is sealed or has no leader: Vault is sealed");
    says(400, "{\"errors\":[\"invalid role name \\\"canary\\\"\"]}", ERR_INPUT,
         "GET secret/app: 400 bad request: invalid role name");
    says(502, "<html>canary</html>", ERR_RETRY, NULL);
}

static void a_deleted_version_says_so(void **state)
{
    (void)state;
    says(404, "{\"data\":{\"data\":null,\"metadata\":{\"deletion_time\":\"2020\",\"destroyed\":false}}}", ERR_MISSING,
         "GET secret/app: 404 not found: this version is deleted");
    says(404, "{\"data\":{\"data\":null,\"metadata\":{\"deletion_time\":\"\",\"destroyed\":true}}}", ERR_MISSING,
         "GET secret/app: 404 not found: this version is destroyed");
}

static void an_answer_that_is_no_envelope_is_refused_without_showing_it(void **state)
{
    (void)state;
    says(200, "<html>canary</html>", ERR_INPUT, NULL);
    says(200, "[\"canary\"]", ERR_INPUT, "GET secret/app: 200, but the answer is not a JSON object");
    says(200, "{\"data\":{\"a\":\"canary\"", ERR_INPUT, NULL);
    says(200, "{\"canary\":1,\"canary\":2}", ERR_INPUT, NULL);
    says(200, "{\"errors\":[\"canary\"]}", ERR_INPUT, "GET secret/app: 200, but with errors inside");
}

static void marks(const char *text, bool token, bool lease)
{
    struct reply reply;
    struct err err;
    char body[256] = "{\"errors\":[\"";

    strncat(body, text, 200);
    strncat(body, "\"]}", 4);
    assert_int_equal(reply_parse(&reply, token ? 403 : 400, body, strlen(body), "x", &err), -1);
    assert_int_equal(reply.token_invalid, token);
    assert_int_equal(reply.lease_unknown, lease);
    reply_done(&reply);
}

static void bad_tokens_and_lost_leases_are_recognised(void **state)
{
    (void)state;
    marks("2 errors occurred:\\n\\t* permission denied\\n\\t* invalid token\\n\\n", true, false);
    marks("bad token", true, false);
    marks("lease not found", false, true);
    marks("lease is not renewable", false, false);
}

static void numbers_keep_their_spelling(void **state)
{
    static const char body[] = "{\"data\":{\"n\":1.50,\"big\":12345678901234567890}}";
    struct reply reply;
    struct err err;
    const struct val *n;

    (void)state;
    assert_int_equal(reply_parse(&reply, 200, body, sizeof(body) - 1, "x", &err), 0);
    n = val_dig(&reply.body, "data", "n", NULL);
    assert_int_equal(n->kind, VAL_NUMBER);
    assert_string_equal(n->s.data, "1.50");
    assert_true(reply.arena.secret);
    reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_class),
        cmocka_unit_test(only_well_known_words_of_the_server_are_passed_on),
        cmocka_unit_test(a_deleted_version_says_so),
        cmocka_unit_test(an_answer_that_is_no_envelope_is_refused_without_showing_it),
        cmocka_unit_test(bad_tokens_and_lost_leases_are_recognised),
        cmocka_unit_test(numbers_keep_their_spelling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
