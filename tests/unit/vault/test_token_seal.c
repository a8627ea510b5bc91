#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "vault/token_seal.h"

static const char token[] = "hvs.canary-of-a-token";

struct reader {
    unsigned char private[X25519_KEY], public[X25519_KEY];
};

static int set_up(void **state)
{
    struct reader *reader = mem_alloc(sizeof(*reader));
    struct err err;

    assert_int_equal(x25519_make(reader->private, reader->public, &err), 0);
    *state = reader;
    return 0;
}

static int tear_down(void **state)
{
    mem_free(*state);
    return 0;
}

static void seal_it(const struct reader *reader, const struct token_seal *seal, struct buf *out)
{
    struct err err;

    buf_init_secret(out, LIMIT_TOKEN_BYTES);
    assert_int_equal(token_seal(seal, reader->public, token, strlen(token), out, &err), 0);
    assert_null(strstr(out->data, "canary"));
    assert_int_equal(out->data[out->len - 1], '\n');
}

static int unseal_it(const struct reader *reader, const struct token_seal *seal, const struct buf *sealed, struct buf *out,
                     struct err *err)
{
    buf_init_secret(out, LIMIT_TOKEN_BYTES);
    return token_unseal(seal, reader->private, sealed->data, sealed->len, out, err);
}

static const struct token_seal ways[] = {{false, ""}, {true, ""}, {false, "who"}, {true, "who"}};

static void the_reader_alone_gets_the_token_and_only_the_way_it_was_sealed(void **state)
{
    const struct reader *reader = *state;

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        _cleanup_buf_ struct buf sealed;

        seal_it(reader, &ways[i], &sealed);
        for (size_t k = 0; k < ARRAY_LEN(ways); k++) {
            _cleanup_buf_ struct buf opened;
            struct err err;
            int status = unseal_it(reader, &ways[k], &sealed, &opened, &err);

            assert_int_equal(status, i == k ? 0 : -1);
            if (i == k)
                assert_string_equal(opened.data, token);
            else
                assert_int_equal(err.code, ERR_DENIED);
        }
    }
}

static void another_reader_gets_nothing(void **state)
{
    const struct reader *reader = *state;
    _cleanup_buf_ struct buf sealed, opened;
    struct reader other;
    struct err err;

    assert_int_equal(x25519_make(other.private, other.public, &err), 0);
    seal_it(reader, &ways[1], &sealed);
    assert_int_equal(unseal_it(&other, &ways[1], &sealed, &opened, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_int_equal(opened.len, 0);
}

static void no_two_tokens_are_sealed_alike(void **state)
{
    _cleanup_buf_ struct buf first, second;

    seal_it(*state, &ways[0], &first);
    seal_it(*state, &ways[0], &second);
    assert_string_not_equal(first.data, second.data);
}

static void what_is_no_sealed_token_is_named(void **state)
{
    static const struct {
        const char *json, *words;
    } rows[] = {
        {"", "unexpected end"},
        {"hvs.x", "invalid character"},
        {"[]", "not a JSON object"},
        {"{}", "no curve25519_public_key"},
        {"{\"curve25519_public_key\":\"AAAA\"}", "curve25519_public_key has 3 bytes, not 32"},
        {"{\"curve25519_public_key\":\"!\"}", "curve25519_public_key: "},
        {"{\"curve25519_public_key\":\"okULwhG8AYfYK+zG4wYNRcbCA8zdznxoKYESDgpHs0c=\"}", "no nonce"},
        {"{\"curve25519_public_key\":\"okULwhG8AYfYK+zG4wYNRcbCA8zdznxoKYESDgpHs0c=\",\"nonce\":\"AAAAAAAAAAAAAAAA\"}",
         "no encrypted_payload"},
        {"{\"curve25519_public_key\":\"okULwhG8AYfYK+zG4wYNRcbCA8zdznxoKYESDgpHs0c=\",\"nonce\":\"AAAAAAAAAAAAAAAA\","
         "\"encrypted_payload\":\"AAAA\"}",
         "shorter than its proof"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_buf_ struct buf out;
        struct buf sealed = {.data = (char *)rows[i].json, .len = strlen(rows[i].json)};
        struct err err;

        assert_int_equal(unseal_it(*state, &ways[0], &sealed, &out, &err), -1);
        if (!strstr(err.text, rows[i].words))
            fail_msg("%s: %s", rows[i].json, err.text);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(the_reader_alone_gets_the_token_and_only_the_way_it_was_sealed),
        TEST(another_reader_gets_nothing),
        TEST(no_two_tokens_are_sealed_alike),
        TEST(what_is_no_sealed_token_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
