#include "support/fake_world.c"

#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "fetch/pki.h"
#include "go/typed.h"

/* A hundred days, ten of which are over at the fake clock's start. The key is this test's own. */
static const char ca_pem[] = "-----BEGIN CERTIFICATE-----\n"
                             "MIIBOjCB4aADAgECAgEBMAoGCCqGSM49BAMCMA0xCzAJBgNVBAMTAmNhMB4XDTIz\n"
                             "MTEwNDIyMTMyMFoXDTI0MDIxMjIyMTMyMFowDTELMAkGA1UEAxMCY2EwWTATBgcq\n"
                             "hkjOPQIBBggqhkjOPQMBBwNCAARLz5VZR700me6YM7BtpmBRRG+zcOMhjo1TRzGM\n"
                             "xFNLXxSBErO2Ezq2MeqOJwuynv+IRAEXkVfqQmibLXlUoJj8ozIwMDAPBgNVHRMB\n"
                             "Af8EBTADAQH/MB0GA1UdDgQWBBTZQ7rvYOTWiVR7MIs1znfnkKwqrjAKBggqhkjO\n"
                             "PQQDAgNIADBFAiEAkE30ussr/WO+yyu7bI+MFMJfANz84l76B65BGThXBcYCIGaL\n"
                             "oEQbdP8LI5yGzYyv/zp+qxJt6M/K+WYXTU09VtT3\n"
                             "-----END CERTIFICATE-----\n";
static const char ca2_pem[] = "-----BEGIN CERTIFICATE-----\n"
                              "MIIBXTCCAQOgAwIBAgIBATAKBggqhkjOPQQDAjANMQswCQYDVQQDEwJjYTAeFw0y\n"
                              "MzExMDQyMjEzMjBaFw0yNDAyMTIyMjEzMjBaMA4xDDAKBgNVBAMTA2NhMjBZMBMG\n"
                              "ByqGSM49AgEGCCqGSM49AwEHA0IABIEsmWQI39Ze3xxvWvcoJWnVgQO2ak9bFp40\n"
                              "odOex01qggNnM4m0zSJul/PXw6GPb8FnUsFdvczDJIKxzIgu8O6jUzBRMA8GA1Ud\n"
                              "EwEB/wQFMAMBAf8wHQYDVR0OBBYEFJVGLZVFPh+pH2CpW58D3s6mfdFwMB8GA1Ud\n"
                              "IwQYMBaAFNlDuu9g5NaJVHswizXOd+eQrCquMAoGCCqGSM49BAMCA0gAMEUCIQCi\n"
                              "gbaTGp92BVcOp5jpubICgzBCeFcj+qNxgB09gvQWuwIgYclDIR1NQha76qk5qCU/\n"
                              "v4PdTGA/xlS5nOQyXG7OBWc=\n"
                              "-----END CERTIFICATE-----\n";
static const char leaf_pem[] = "-----BEGIN CERTIFICATE-----\n"
                               "MIIBOjCB4qADAgECAgEBMAoGCCqGSM49BAMCMA0xCzAJBgNVBAMTAmNhMB4XDTIz\n"
                               "MTEwNDIyMTMyMFoXDTI0MDIxMjIyMTMyMFowDzENMAsGA1UEAxMEbGVhZjBZMBMG\n"
                               "ByqGSM49AgEGCCqGSM49AwEHA0IABPcM7v7+8tdpqnspTZ4NwyvV/URmUwYOWcrJ\n"
                               "3phtfo4co/1d+JhJcYnubxxMOaXLCuMGl9Zm+AfXlWnnMp2qZm+jMTAvMAwGA1Ud\n"
                               "EwEB/wQCMAAwHwYDVR0jBBgwFoAU2UO672Dk1olUezCLNc5355CsKq4wCgYIKoZI\n"
                               "zj0EAwIDRwAwRAIgUj/pBkTPltDtaN5I0a4hbXJoR2OAJVw5knEDioYlj4ICICv9\n"
                               "JynDxAVoOLYRsatP+IQwy5wnRYop3REkvLDKScSF\n"
                               "-----END CERTIFICATE-----\n";
static const char key_pem[] = "-----BEGIN EC PRIVATE KEY-----\n"
                              "MHcCAQEEIJEWuQ/GHL584wWUPDEsrriFWqI5irFwTjK0wfAULaunoAoGCCqGSM49\n"
                              "AwEHoUQDQgAE9wzu/v7y12mqeylNng3DK9X9RGZTBg5ZysnemG1+jhyj/V34mElx\n"
                              "ie5vHEw5pcsK4waX1mb4B9eVaecynapmbw==\n"
                              "-----END EC PRIVATE KEY-----\n";

static const char other_leaf_pem[] = "-----BEGIN CERTIFICATE-----\n"
                                     "MIIBdDCCARqgAwIBAgIUZHDByvc00ZSSFsqwC/kRYPLJvqcwCgYIKoZIzj0EAwIw\n"
                                     "EDEOMAwGA1UEAwwFb3RoZXIwIBcNMjYxMTMwMTYyOTI5WhgPMjEyNjExMDYxNjI5\n"
                                     "MjlaMBAxDjAMBgNVBAMMBW90aGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
                                     "Oi5xqOQzTscq+FfaebMij36pM8gPcVVuV0/Wc4McIBS7lBMSLywp+/tpbzqUgNGY\n"
                                     "1PMgOv1WpXP6kdbs1cGY6KNQME4wHQYDVR0OBBYEFAuPq8Az53lDmT9CruCsRK2L\n"
                                     "2BpgMB8GA1UdIwQYMBaAFAuPq8Az53lDmT9CruCsRK2L2BpgMAwGA1UdEwEB/wQC\n"
                                     "MAAwCgYIKoZIzj0EAwIDSAAwRQIhAKgKNniSy/G/W/4N8PsIgPEwD2mBkcFcA7mv\n"
                                     "691kMCx9AiB2DUu6WlgubaZ8be2Ov3zcbTiLsRMWBGqMOl3ZOZ8J4g==\n"
                                     "-----END CERTIFICATE-----\n";
static const char other_key_pem[] = "-----BEGIN EC PRIVATE KEY-----\n"
                                    "MHcCAQEEIGyLJgZn0v4KGa5MMd5pYWv7I4cgJcPRN8Ck9pBKRcffoAoGCCqGSM49\n"
                                    "AwEHoUQDQgAEOi5xqOQzTscq+FfaebMij36pM8gPcVVuV0/Wc4McIBS7lBMSLywp\n"
                                    "+/tpbzqUgNGY1PMgOv1WpXP6kdbs1cGY6A==\n"
                                    "-----END EC PRIVATE KEY-----\n";

static char path[] = "/tmp/ampule-test-pki-XXXXXX";

static void write_file(const char *const *parts)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    for (; *parts; parts++)
        fputs(*parts, f);
    fclose(f);
}

static const char *field(const struct secret *secret, const char *name)
{
    return val_get_cstr(&secret->reply, name);
}

static void a_good_certificate_in_the_file_is_used_again(void **state)
{
    static const char *const parts[] = {"# comment\n", ca_pem, "noise ", key_pem, leaf_pem, ca2_pem, ca_pem, NULL};
    struct secret *secret;
    int64_t until;

    (void)state;
    write_file(parts);
    secret = pki_from_file(path, NULL, 0, &until);
    assert_non_null(secret);
    assert_string_equal(field(secret, "CA"), ca_pem);
    assert_string_equal(field(secret, "Cert"), leaf_pem);
    assert_string_equal(field(secret, "Key"), key_pem);
    assert_int_equal(val_get(&secret->reply, "CAChain")->list.len, 2);
    assert_int_equal(until - clock_now(), 80 * DAY);
    assert_true(secret->arena.secret);
    secret_free(secret);
}

static void the_threshold_moves_the_renewal(void **state)
{
    static const char *const parts[] = {leaf_pem, NULL};
    struct secret *secret;
    int64_t until;

    (void)state;
    write_file(parts);
    secret = pki_from_file(path, NULL, 0.5, &until);
    assert_non_null(secret);
    assert_int_equal(until - clock_now(), 40 * DAY);
    assert_string_equal(field(secret, "Key"), "");
    secret_free(secret);
    secret = pki_from_file(path, NULL, 1, &until); /* to its end, as in the original */
    assert_non_null(secret);
    assert_int_equal(until - clock_now(), 90 * DAY);
    secret_free(secret);
    assert_null(pki_from_file(path, NULL, 0.05, &until));
}

static void a_file_without_a_good_leaf_is_not_used(void **state)
{
    static const char *const no_leaf[] = {ca_pem, key_pem, NULL}, *const empty[] = {NULL};
    static const char *const stranger[] = {leaf_pem, other_key_pem, NULL};
    static const char *const broken[] = {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", leaf_pem, NULL};
    int64_t until;

    (void)state;
    write_file(no_leaf);
    assert_null(pki_from_file(path, NULL, 0, &until));
    write_file(empty);
    assert_null(pki_from_file(path, NULL, 0, &until));
    write_file(stranger);
    assert_null(pki_from_file(path, NULL, 0, &until)); /* a key that is not its own */
    write_file(broken);
    assert_null(pki_from_file(path, NULL, 0, &until));
    assert_null(pki_from_file("/nonexistent/file", NULL, 0, &until));
    assert_null(pki_from_file("", NULL, 0, &until));
}

static void a_file_belongs_to_the_call_that_made_it(void **state)
{
    static const char *const parts[] = {ca_pem, leaf_pem, key_pem, NULL}, *const twice[] = {leaf_pem, key_pem, leaf_pem, NULL};
    static const char *const two[] = {leaf_pem, key_pem, other_leaf_pem, NULL};
    static const char *const names[] = {"Leaf", "", NULL};
    struct secret *secret;
    int64_t until;

    (void)state;
    write_file(parts);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        secret = pki_from_file(path, names[i], 0, &until);
        assert_true(secret && secret->cached);
        secret_free(secret);
    }
    assert_null(pki_from_file(path, "lea", 0, &until));
    assert_null(pki_from_file(path, "leaf.test", 0, &until));
    write_file(two); /* which of them it was nobody knows */
    assert_null(pki_from_file(path, "leaf", 0, &until));
    write_file(twice);
    secret = pki_from_file(path, "leaf", 0, &until);
    assert_non_null(secret);
    secret_free(secret);
}

static int from_reply(const char *const *names, const char *const *values, struct secret **ret, struct err *err)
{
    _cleanup_buf_ struct buf body;
    struct reply reply;
    int64_t until;
    int rc;

    buf_init(&body, KIB(64));
    buf_adds(&body, "{\"data\":{\"expiration\":1");
    for (; *names; names++, values++) {
        buf_addf(&body, ",\"%s\":%s", *names, strcmp(*names, "ca_chain") == 0 ? "[" : "");
        json_write_str(&body, str_of(*values), 0);
        buf_adds(&body, strcmp(*names, "ca_chain") == 0 ? "]" : "");
    }
    buf_adds(&body, "}}");
    assert_int_equal(reply_parse(&reply, 200, body.data, body.len, "x", err), 0);
    rc = pki_from_reply(&reply, 0, ret, &until, err);
    reply_done(&reply);
    return rc;
}

static void an_answer_gives_key_leaf_issuer_and_chain(void **state)
{
    static const char *const names[] = {"certificate", "issuing_ca", "ca_chain", "private_key", NULL};
    static const char *const values[] = {leaf_pem, ca_pem, ca2_pem, key_pem};
    struct secret *secret;
    struct err err;

    (void)state;
    assert_int_equal(from_reply(names, values, &secret, &err), 0);
    assert_string_equal(field(secret, "CA"), ca_pem);
    assert_string_equal(field(secret, "Cert"), leaf_pem);
    assert_string_equal(field(secret, "Key"), key_pem);
    assert_int_equal(val_get(&secret->reply, "CAChain")->list.len, 2);
    assert_int_equal(val_get(&secret->reply, "CAChain")->type, GO_T_STRINGS);
    secret_free(secret);
}

static void an_answer_without_a_leaf_or_with_an_old_one_is_an_error(void **state)
{
    static const char *const names[] = {"certificate", NULL}, *const ca[] = {ca_pem}, *const leaf[] = {leaf_pem};
    struct secret *secret;
    struct err err;

    (void)state;
    assert_int_equal(from_reply(names, ca, &secret, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    fake_clock_forward(85 * DAY);
    assert_int_equal(from_reply(names, leaf, &secret, &err), -1);
    assert_int_equal(err.code, ERR_RETRY);
    fake_clock_forward(-85 * DAY);
}

static int setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    fake_vault_reset();
    fake_http_serve = fake_vault_serve;
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_certificate_in_the_file_is_used_again),
        cmocka_unit_test(the_threshold_moves_the_renewal),
        cmocka_unit_test(a_file_without_a_good_leaf_is_not_used),
        cmocka_unit_test(a_file_belongs_to_the_call_that_made_it),
        cmocka_unit_test(an_answer_gives_key_leaf_issuer_and_chain),
        cmocka_unit_test(an_answer_without_a_leaf_or_with_an_old_one_is_an_error),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
