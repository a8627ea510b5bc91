#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/mem.h"

static const struct {
    const char *text, *sha256, *sha1, *sha512, *md5;
} rows[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
     "d41d8cd98f00b204e9800998ecf8427e"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "a9993e364706816aba3e25717850c26c9cd0d89d",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "900150983cd24fb0d6963f7d28e17f72"},
};

static void assert_digits(const unsigned char *bytes, size_t len, const char *digits)
{
    char text[DIGEST_SHA512_LEN * 2 + 1];

    digest_hex(bytes, len, text);
    assert_string_equal(text, digits);
}

/* Each keeps what it looked up: by turns, none may answer with another's. */
static void digests_keep_their_algorithms_apart(void **state)
{
    unsigned char out[DIGEST_SHA512_LEN];

    (void)state;
    for (unsigned turn = 0; turn < 3; turn++) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            size_t len = strlen(rows[i].text);

            digest_md5(rows[i].text, len, out);
            assert_digits(out, DIGEST_MD5_LEN, rows[i].md5);
            digest_sha512(rows[i].text, len, out);
            assert_digits(out, DIGEST_SHA512_LEN, rows[i].sha512);
            digest_sha1(rows[i].text, len, out);
            assert_digits(out, DIGEST_SHA1_LEN, rows[i].sha1);
            digest_sha256(rows[i].text, len, out);
            assert_digits(out, DIGEST_SHA256_LEN, rows[i].sha256);
        }
    }
}

/* RFC 4231, the second test, and no key at all. */
static void digest_hmac_takes_keys_of_any_length(void **state)
{
    unsigned char out[DIGEST_SHA256_LEN];

    (void)state;
    digest_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
    assert_digits(out, sizeof(out), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    digest_hmac_sha256(NULL, 0, "", 0, out);
    assert_digits(out, sizeof(out), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 5869, the first test: the beginning of its output. */
static void digest_hkdf_derives_a_key(void **state)
{
    unsigned char secret[22], salt[13], info[10], out[DIGEST_SHA256_LEN];

    (void)state;
    memset(secret, 0x0b, sizeof(secret));
    for (unsigned char i = 0; i < sizeof(salt); i++)
        salt[i] = i;
    for (unsigned char i = 0; i < sizeof(info); i++)
        info[i] = 0xf0 + i;
    digest_hkdf_sha256(secret, sizeof(secret), salt, sizeof(salt), info, sizeof(info), out);
    assert_digits(out, sizeof(out), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
}

static void digest_random_numbers_stay_below_their_bound(void **state)
{
    bool seen[3] = {false};

    (void)state;
    assert_int_equal(digest_random_below(0), 0);
    assert_int_equal(digest_random_below(1), 0);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t r = digest_random_below(3);
        double jitter = digest_jitter(2, 3);

        assert_true(r < 3);
        assert_true(jitter >= 2 && jitter < 3);
        seen[r] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_keep_their_algorithms_apart),
        cmocka_unit_test(digest_hmac_takes_keys_of_any_length),
        cmocka_unit_test(digest_hkdf_derives_a_key),
        cmocka_unit_test(digest_random_numbers_stay_below_their_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
