#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/digest.h"
#include "base/x25519.h"

static void assert_hex(const unsigned char key[X25519_KEY], const char *wanted)
{
    char digits[2 * X25519_KEY + 1];

    digest_hex(key, X25519_KEY, digits);
    assert_string_equal(digits, wanted);
}

/* Private keys of 0 to 31 and of 32 to 63; what they give is Go's crypto/ecdh. */
static void both_parties_agree_as_elsewhere(void **state)
{
    unsigned char alice[X25519_KEY], bob[X25519_KEY], of_alice[X25519_KEY], of_bob[X25519_KEY], secret[X25519_KEY];
    struct err err;

    (void)state;
    for (unsigned char i = 0; i < X25519_KEY; i++) {
        alice[i] = i;
        bob[i] = i + X25519_KEY;
    }
    assert_int_equal(x25519_public(alice, of_alice, &err), 0);
    assert_hex(of_alice, "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f");
    assert_int_equal(x25519_public(bob, of_bob, &err), 0);
    assert_hex(of_bob, "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254");
    assert_int_equal(x25519_shared(alice, of_bob, secret, &err), 0);
    assert_hex(secret, "9663aa1da97e848a914a436d04163dfbb89178f107f1b5b77ed3854203382854");
    assert_int_equal(x25519_shared(bob, of_alice, secret, &err), 0);
    assert_hex(secret, "9663aa1da97e848a914a436d04163dfbb89178f107f1b5b77ed3854203382854");
}

static void pairs_are_new_each_time(void **state)
{
    unsigned char private[2][X25519_KEY], public[2][X25519_KEY];
    struct err err;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(x25519_make(private[i], public[i], &err), 0);
    assert_memory_not_equal(private[0], private[1], X25519_KEY);
    assert_memory_not_equal(public[0], public[1], X25519_KEY);
}

/* Whoever sends zero would know the secret without a key. */
static void a_public_key_without_effect_is_refused(void **state)
{
    static const unsigned char zero[X25519_KEY];
    unsigned char private[X25519_KEY], public[X25519_KEY], secret[X25519_KEY];
    struct err err;

    (void)state;
    assert_int_equal(x25519_make(private, public, &err), 0);
    assert_int_equal(x25519_shared(private, zero, secret, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_parties_agree_as_elsewhere),
        cmocka_unit_test(pairs_are_new_each_time),
        cmocka_unit_test(a_public_key_without_effect_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
