#include "support/fake_world.c"

#include "vault/answer.h"

static struct dep *dep_of(enum dep_kind kind, const char *path)
{
    const struct val arg = val_cstr("a=b");
    struct dep *dep;
    struct err err;

    assert_int_equal(dep_new(kind, str_of(path), &arg, kind == DEP_WRITE || kind == DEP_PKI, NULL, &dep, &err), 0);
    return dep;
}

static int check(enum dep_kind kind, const char *path, int status, const char *body, bool wrapped, const char *held)
{
    struct dep *dep = dep_of(kind, path);
    struct secret *old = NULL;
    struct reply reply;
    struct err err;
    int rc;

    if (held) {
        assert_int_equal(reply_parse(&reply, 200, held, strlen(held), "x", &err), 0);
        old = secret_take(dep, &reply, clock_now());
    }
    rc = reply_parse(&reply, status, body, strlen(body), "x", &err);
    if (rc == 0)
        rc = answer_check(dep, &reply, wrapped, old, &err);
    reply_done(&reply);
    secret_free(old);
    dep_unref(dep);
    return rc;
}

static const char *const nothings[] = {
    "",
    " \n",
    "null",
    "{}",
    "[]",
    "{\"data\":null}",
    "{\"data\":[]}",
    "{\"data\":\"\"}",
    "{\"data\":false}",
    "{\"auth\":null,\"data\":null}",
    "OK",
    "<html><body>Sign in to the network</body></html>",
    "{\"status\":\"login required\"}",
    "{\"data\":{\"k\":",
    "\x1f\x8b\x08\x00",
    "{\"data\":{\"data\":null,\"metadata\":{\"version\":3}}}",
};

static void nothing_is_no_answer_to_a_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(nothings); i++)
        assert_int_equal(check(DEP_READ, "secret/data/app", 200, nothings[i], false, NULL), -1);
    assert_int_equal(check(DEP_READ, "secret/data/app", 204, "", false, NULL), -1);
    assert_int_equal(check(DEP_READ, "kv/app", 200, "{\"request_id\":\"r\",\"data\":null}", false, NULL), -1);
    assert_int_equal(check(DEP_READ, "kv/app", 200, "{\"data\":{\"a\":1}}", false, NULL), 0);
    assert_int_equal(check(DEP_READ, "kv/app", 200, "{\"data\":{}}", false, NULL), 0);
    assert_int_equal(
        check(DEP_READ, "secret/data/app", 200, "{\"data\":{\"data\":{},\"metadata\":{\"version\":3}}}", false, NULL), 0);
    assert_int_equal(check(DEP_READ, "secret/subkeys/app", 200,
                           "{\"data\":{\"subkeys\":{\"user\":null},\"metadata\":{\"version\":3}}}", false, NULL),
                     0);
    assert_int_equal(
        check(DEP_READ, "secret/subkeys/app", 200, "{\"data\":{\"subkeys\":null,\"metadata\":{\"version\":3}}}", false, NULL),
        -1);
    assert_int_equal(check(DEP_READ, "x", 200, "{\"auth\":{\"client_token\":\"t\"}}", false, NULL), 0);
    assert_int_equal(check(DEP_READ, "x", 200, "{\"wrap_info\":{\"token\":\"t\"}}", false, NULL), 0);
    assert_int_equal(check(DEP_READ, "sys/health", 200, "{\"initialized\":true}", false, NULL), 0);
    assert_int_equal(check(DEP_READ, "sys/health", 200, "{}", false, NULL), -1);
}

static void an_answer_that_had_data_does_not_become_one_without(void **state)
{
    static const char held[] = "{\"data\":{\"a\":1}}";

    (void)state;
    assert_int_equal(check(DEP_READ, "kv/app", 200, "{\"data\":{}}", false, held), -1);
    assert_int_equal(check(DEP_READ, "kv/app", 200, "{\"data\":{\"b\":1}}", false, held), 0);
    assert_int_equal(check(DEP_WRITE, "transit/encrypt/k", 204, "", false, held), -1);
    assert_int_equal(check(DEP_WRITE, "transit/encrypt/k", 204, "", false, NULL), 0);
}

static void a_listing_has_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(nothings); i++)
        assert_int_equal(check(DEP_LIST, "secret/metadata", 200, nothings[i], false, NULL), -1);
    assert_int_equal(check(DEP_LIST, "secret/metadata", 204, "", false, NULL), -1);
    assert_int_equal(check(DEP_LIST, "secret/metadata", 200, "{\"data\":{\"keys\":null}}", false, NULL), -1);
    assert_int_equal(check(DEP_LIST, "secret/metadata", 200, "{\"data\":{\"keys\":[]}}", false, NULL), 0);
    assert_int_equal(check(DEP_LIST, "secret/metadata", 200, "{\"data\":{\"keys\":[\"a\"]}}", false, NULL), 0);
}

static void a_write_may_be_answered_without_data_by_a_server_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(nothings); i++)
        assert_int_equal(check(DEP_WRITE, "kv/app", 200, nothings[i], false, NULL), -1);
    assert_int_equal(check(DEP_WRITE, "kv/app", 204, "", false, NULL), 0);
    assert_int_equal(check(DEP_WRITE, "secret/app", 204, "", true, NULL), -1); /* KV v2 says the version */
    assert_int_equal(check(DEP_WRITE, "db/config/x", 200, "{\"request_id\":\"r\",\"data\":null}", false, NULL), 0);
    assert_int_equal(check(DEP_WRITE, "db/config/x", 200, "{\"warnings\":[\"w\"],\"data\":null}", false, NULL), 0);
    assert_int_equal(check(DEP_WRITE, "secret/app", 200, "{\"request_id\":\"r\",\"data\":{\"version\":1}}", true, NULL), 0);
    assert_int_equal(check(DEP_PKI, "pki/issue/x", 204, "", false, NULL), 0); /* fetch/pki says what is missing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_no_answer_to_a_read),
        cmocka_unit_test(an_answer_that_had_data_does_not_become_one_without),
        cmocka_unit_test(a_listing_has_keys),
        cmocka_unit_test(a_write_may_be_answered_without_data_by_a_server_only),
    };

    fake_vault_reset();
    fake_http_serve = fake_vault_serve;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
