#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "tls/tls.h"

static struct tls_key *new_key(enum tls_key_kind kind)
{
    struct tls_key *key = NULL;
    struct err err;

    assert_int_equal(tls_key_new(kind, &key, &err), 0);
    return key;
}

static void signs_and_verifies(enum tls_key_kind kind, const char *algorithm, size_t sig_len)
{
    _cleanup_tls_key_ struct tls_key *key = new_key(kind), *other = new_key(kind);
    _cleanup_buf_ struct buf sig = {0};
    struct err err;

    buf_init(&sig, KIB(4));
    assert_string_equal(tls_key_algorithm(key), algorithm);
    assert_int_equal(tls_key_sign(key, "text", 4, &sig, &err), 0);
    assert_int_equal(sig.len, sig_len);
    assert_int_equal(tls_key_verify(key, "text", 4, sig.data, sig.len, &err), 0);
    assert_int_equal(tls_key_verify(key, "texT", 4, sig.data, sig.len, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_int_equal(tls_key_verify(other, "text", 4, sig.data, sig.len, &err), -1);
    assert_int_equal(tls_key_verify(key, "text", 4, sig.data, sig.len - 1, &err), -1);
    assert_int_equal(tls_key_verify(key, "text", 4, "", 0, &err), -1);
}

static void rsa_key_signs_rs256_and_refuses_what_it_did_not_sign(void **state)
{
    (void)state;
    signs_and_verifies(TLS_KEY_RSA, "RS256", 256);
}

static void p256_key_signs_es256_as_two_halves(void **state)
{
    (void)state;
    signs_and_verifies(TLS_KEY_P256, "ES256", 64);
}

static void key_survives_its_pem(void **state)
{
    _cleanup_tls_key_ struct tls_key *key = new_key(TLS_KEY_P256), *again = NULL, *public = NULL;
    _cleanup_buf_ struct buf pem = {0}, pub = {0}, sig = {0};
    unsigned char a[DIGEST_SHA256_LEN], b[DIGEST_SHA256_LEN];
    struct err err;

    (void)state;
    buf_init_secret(&pem, KIB(8));
    buf_init(&pub, KIB(8));
    buf_init(&sig, KIB(1));
    assert_int_equal(tls_key_private_pem(key, &pem, &err), 0);
    assert_int_equal(tls_key_public_pem(key, &pub, &err), 0);
    assert_int_equal(tls_key_load(pem.data, pem.len, &again, &err), 0);
    assert_int_equal(tls_key_load(pub.data, pub.len, &public, &err), 0);
    assert_int_equal(tls_key_sign(again, "x", 1, &sig, &err), 0);
    assert_int_equal(tls_key_verify(public, "x", 1, sig.data, sig.len, &err), 0);
    assert_int_equal(tls_key_digest(key, a, &err), 0);
    assert_int_equal(tls_key_digest(public, b, &err), 0);
    assert_memory_equal(a, b, sizeof(a));
}

static void key_refuses_text_that_is_no_pem(void **state)
{
    struct tls_key *key = NULL;
    struct err err;

    (void)state;
    assert_int_equal(tls_key_load("secret words", 12, &key, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_null(strstr(err.text, "secret words"));
    assert_null(key);
}

static void rsa_numbers_are_only_had_from_rsa(void **state)
{
    _cleanup_tls_key_ struct tls_key *rsa = new_key(TLS_KEY_RSA), *ec = new_key(TLS_KEY_P256);
    _cleanup_buf_ struct buf n = {0}, e = {0};
    struct err err;

    (void)state;
    buf_init(&n, KIB(2));
    buf_init(&e, KIB(2));
    assert_int_equal(tls_key_rsa_numbers(rsa, &n, &e, &err), 0);
    assert_int_equal(n.len, 256);
    assert_int_equal(e.len, 3);
    assert_int_equal(tls_key_rsa_numbers(ec, &n, &e, &err), -1);
}

static void make_ca(struct tls_key *key, struct buf *out)
{
    struct tls_cert_spec spec = {.name = "test CA", .days = 10, .ca = true};
    struct err err;

    buf_init(out, KIB(16));
    assert_int_equal(tls_cert_make(&spec, key, out, &err), 0);
}

static void leaf_takes_names_that_openssl_syntax_would_split(void **state)
{
    static const char *const sans[] = {"localhost", "127.0.0.1", "::1", "a,DNS:b"};
    _cleanup_tls_key_ struct tls_key *ca_key = new_key(TLS_KEY_P256), *key = new_key(TLS_KEY_P256), *from_cert = NULL;
    _cleanup_buf_ struct buf ca = {0}, leaf = {0};
    struct tls_cert_spec spec = {.name = "leaf", .sans = sans, .san_count = 4, .days = 1, .issuer_key = ca_key};
    unsigned char a[DIGEST_SHA256_LEN], b[DIGEST_SHA256_LEN];
    struct err err;

    (void)state;
    make_ca(ca_key, &ca);
    buf_init(&leaf, KIB(16));
    spec.issuer_pem = ca.data;
    assert_int_equal(tls_cert_make(&spec, key, &leaf, &err), 0);
    assert_int_equal(tls_key_load(leaf.data, leaf.len, &from_cert, &err), 0);
    assert_int_equal(tls_key_digest(key, a, &err), 0);
    assert_int_equal(tls_key_digest(from_cert, b, &err), 0);
    assert_memory_equal(a, b, sizeof(a));
}

static void server_keeps_its_certificate_when_the_new_one_is_bad(void **state)
{
    _cleanup_tls_key_ struct tls_key *key = new_key(TLS_KEY_P256), *other = new_key(TLS_KEY_P256);
    _cleanup_buf_ struct buf ca = {0}, pem = {0}, foreign = {0};
    struct tls_server *server = NULL;
    struct err err;

    (void)state;
    make_ca(key, &ca);
    buf_init_secret(&pem, KIB(8));
    buf_init_secret(&foreign, KIB(8));
    assert_int_equal(tls_key_private_pem(key, &pem, &err), 0);
    assert_int_equal(tls_key_private_pem(other, &foreign, &err), 0);
    assert_int_equal(tls_server_new(NULL, ca.data, pem.data, "pair", &server, &err), 0);
    assert_int_equal(tls_server_load(server, ca.data, foreign.data, "tls.key", &err), -1);
    assert_non_null(strstr(err.text, "tls.key"));
    assert_int_equal(tls_server_load(server, "nonsense", pem.data, "tls.crt", &err), -1);
    assert_int_equal(tls_server_load(server, ca.data, pem.data, "pair", &err), 0);
    tls_server_free(server);
}

static void rules_take_the_names_of_go_programs(void **state)
{
    struct tls_rules rules;
    struct err err;

    (void)state;
    assert_int_equal(tls_rules_parse("tls10", NULL, NULL, &rules, &err), 0);
    assert_string_equal(rules.suites, "");
    assert_int_equal(tls_rules_parse("tls13", "", "", &rules, &err), 0);
    assert_int_equal(tls_rules_parse(NULL, NULL,
                                     "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256,TLS_RSA_WITH_RC4_128_SHA",
                                     &rules, &err),
                     0);
    assert_string_equal(rules.suites, "ECDHE-ECDSA-AES128-GCM-SHA256");
}

static void rules_refuse_unknown_names(void **state)
{
    struct tls_rules rules;
    struct err err;

    (void)state;
    assert_int_equal(tls_rules_parse("tls14", NULL, NULL, &rules, &err), -1);
    assert_non_null(strstr(err.text, "tls14"));
    assert_int_equal(tls_rules_parse("", NULL, "TLS_NONSENSE", &rules, &err), -1);
    assert_non_null(strstr(err.text, "TLS_NONSENSE"));
    assert_int_equal(tls_rules_parse("", NULL, "TLS_RSA_WITH_RC4_128_SHA", &rules, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_key_signs_rs256_and_refuses_what_it_did_not_sign),
        cmocka_unit_test(p256_key_signs_es256_as_two_halves),
        cmocka_unit_test(key_survives_its_pem),
        cmocka_unit_test(key_refuses_text_that_is_no_pem),
        cmocka_unit_test(rsa_numbers_are_only_had_from_rsa),
        cmocka_unit_test(leaf_takes_names_that_openssl_syntax_would_split),
        cmocka_unit_test(rules_take_the_names_of_go_programs),
        cmocka_unit_test(rules_refuse_unknown_names),
        cmocka_unit_test(server_keeps_its_certificate_when_the_new_one_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
