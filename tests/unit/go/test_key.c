#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/cipher.h"
#include "base/limits.h"
#include "base/pem.h"
#include "go/cert.h"
#include "go/der.h"
#include "go/key.h"

/* An RSA key of so many bits, as it is written; its numbers are no key's. */
static void add_fake_rsa(struct buf *pem, size_t bits)
{
    _cleanup_buf_ struct buf der;
    unsigned char modulus[LIMIT_RSA_BITS / 8 + 1];
    size_t sequence;

    buf_init(&der, LIMIT_KEY_BYTES);
    memset(modulus, 0xFF, sizeof(modulus));
    sequence = der_open(&der, DER_SEQUENCE);
    der_add_number(&der, (const unsigned char *)"", 0);
    der_add_number(&der, modulus, bits / 8);
    for (size_t i = 0; i < 7; i++)
        der_add_number(&der, (const unsigned char *)"\3", 1);
    der_close(&der, sequence);
    pem_add(pem, "RSA PRIVATE KEY", der.data, der.len);
}

static int read_fake_rsa(size_t bits, struct key **ret, struct err *err)
{
    _cleanup_buf_ struct buf pem;

    buf_init(&pem, LIMIT_KEY_BYTES);
    add_fake_rsa(&pem, bits);
    return key_read((struct str){pem.data, pem.len}, false, ret, err);
}

static void rsa_keys_have_a_most_and_a_least_of_bits(void **state)
{
    _cleanup_key_ struct key *largest = NULL, *too_large = NULL, *small = NULL;
    _cleanup_buf_ struct buf signature;
    struct err err;

    (void)state;
    buf_init(&signature, LIMIT_CERT_BYTES);
    assert_int_equal(read_fake_rsa(LIMIT_RSA_BITS, &largest, &err), 0);
    assert_int_equal(key_bits(largest), LIMIT_RSA_BITS);
    assert_int_equal(read_fake_rsa(LIMIT_RSA_BITS + 8, &too_large, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.text, "an RSA key of more than 8192 bits");
    assert_null(too_large);
    assert_int_equal(read_fake_rsa(1016, &small, &err), 0);
    assert_int_equal(key_sign(small, "x", 1, &signature, &err), -1);
    assert_memory_equal(err.text, "crypto/rsa: 1016-bit keys are insecure", 38);
}

static void keys_are_written_and_read_again(void **state)
{
    static const enum key_kind kinds[] = {KEY_RSA, KEY_EC, KEY_ED25519};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        _cleanup_key_ struct key *made = NULL, *again = NULL;
        _cleanup_buf_ struct buf pem, second;
        struct err err;

        buf_init_secret(&pem, LIMIT_KEY_BYTES);
        buf_init_secret(&second, LIMIT_KEY_BYTES);
        assert_int_equal(key_make(kinds[i], 1024, &made, &err), 0);
        assert_int_equal(key_write(made, &pem, &err), 0);
        assert_int_equal(key_read((struct str){pem.data, pem.len}, false, &again, &err), 0);
        assert_int_equal(key_kind(again), kinds[i]);
        assert_int_equal(key_write(again, &second, &err), 0);
        assert_string_equal(pem.data, second.data);
    }
}

static void an_error_shows_no_part_of_a_key(void **state)
{
    static const char *const texts[] = {"canary", "-----BEGIN RSA PRIVATE KEY-----\nY2FuYXJ5\n-----END RSA PRIVATE KEY-----\n",
                                        "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n",
                                        "-----BEGIN DSA PRIVATE KEY-----\nY2FuYXJ5\n-----END DSA PRIVATE KEY-----\n",
                                        "-----BEGIN EC PRIVATE KEY-----\nY2FuYXJ5\n-----END EC PRIVATE KEY-----\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct key *key = NULL;
        struct err err;

        assert_int_equal(key_read(str_of(texts[i]), false, &key, &err), -1);
        assert_null(strstr(err.text, "canary"));
        assert_null(strstr(err.text, "Y2Fu"));
    }
}

static void a_certificate_has_a_most_of_bytes(void **state)
{
    _cleanup_key_ struct key *key = NULL;
    _cleanup_buf_ struct buf pem;
    _cleanup_free_ char *host = mem_alloc(LIMIT_CERT_BYTES + 1);
    const struct str hosts[] = {{host, LIMIT_CERT_BYTES}};
    const struct cert_request request = {.name = STR("x"), .hosts = hosts, .host_count = 1};
    struct err err;

    (void)state;
    buf_init(&pem, MIB(1));
    memset(host, 'a', LIMIT_CERT_BYTES);
    assert_int_equal(key_make(KEY_ED25519, 0, &key, &err), 0);
    assert_int_equal(cert_make(&request, key, NULL, &pem, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void scrypt_takes_no_more_memory_than_it_may(void **state)
{
    static const struct cipher_scrypt sprigs = {32768, 8, 2}, too_much = {65536, 8, 2};
    unsigned char out[64];
    struct err err;

    (void)state;
    assert_int_equal(cipher_scrypt(&sprigs, "p", 1, "s", 1, out, sizeof(out), &err), 0);
    assert_int_equal(cipher_scrypt(&too_much, "p", 1, "s", 1, out, sizeof(out), &err), -1);
}

static void text_around_a_pem_block_is_skipped(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: no block */
    } rows[] = {
        {"-----BEGIN A-----\neA==\n-----END A-----\n", "x"},
        {"text\n-----BEGIN A-----\neA==\n-----END A-----", "x"},
        {"-----BEGIN A-----\nH: v\n\neA==\n-----END A-----\n", "x"},
        {"-----BEGIN A-----\n*\n-----END A-----\n-----BEGIN B-----\neQ==\n-----END B-----\n", "y"},
        {"-----BEGIN A-----\n-----END B-----\n", NULL},
        {" -----BEGIN A-----\neA==\n-----END A-----\n", NULL},
        {"-----BEGIN A-----\neA==\n", NULL},
        {"-----BEGIN A", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_buf_ struct buf bytes;
        struct str label;

        buf_init(&bytes, 64);
        assert_int_equal(pem_first(str_of(rows[i].text), &label, &bytes), rows[i].want != NULL);
        if (rows[i].want)
            assert_string_equal(bytes.data, rows[i].want);
    }
}

/* 128·n·r bytes: 32 MiB as sprig asks for them, and twice as much. */
static void scrypt_takes_no_more_memory_than_allowed(void **state)
{
    static const struct cipher_scrypt usual = {32768, 8, 1}, greedy = {65536, 8, 1};
    unsigned char out[32];
    struct err err;

    (void)state;
    assert_true((size_t)128 * usual.n * usual.r < LIMIT_SCRYPT_BYTES && (size_t)128 * greedy.n * greedy.r > LIMIT_SCRYPT_BYTES);
    assert_int_equal(cipher_scrypt(&usual, "p", 1, "s", 1, out, sizeof(out), &err), 0);
    assert_int_equal(cipher_scrypt(&greedy, "p", 1, "s", 1, out, sizeof(out), &err), -1);
    assert_string_equal(err.text, "scrypt failed in libcrypto");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_keys_have_a_most_and_a_least_of_bits), cmocka_unit_test(keys_are_written_and_read_again),
        cmocka_unit_test(an_error_shows_no_part_of_a_key),          cmocka_unit_test(a_certificate_has_a_most_of_bytes),
        cmocka_unit_test(scrypt_takes_no_more_memory_than_it_may),  cmocka_unit_test(text_around_a_pem_block_is_skipped),
        cmocka_unit_test(scrypt_takes_no_more_memory_than_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
