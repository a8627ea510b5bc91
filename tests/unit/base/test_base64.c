#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

static void base64_decodes_every_length(void **state)
{
    static const char *const rows[][2] = {{"", ""},        {"YQ==", "a"},        {"YWI=", "ab"},
                                          {"YWJj", "abc"}, {"YWJjZA==", "abcd"}, {"YWJjZA", "abcd"}};
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_buf_ struct buf buf;

        buf_init(&buf, 64);
        assert_int_equal(base64_decode(rows[i][0], strlen(rows[i][0]), &buf, &err), 0);
        assert_string_equal(buf.data, rows[i][1]);
    }
}

static void base64_skips_white_space_and_keeps_any_byte(void **state)
{
    _cleanup_buf_ struct buf buf;
    struct err err;

    (void)state;
    buf_init(&buf, 64);
    assert_int_equal(base64_decode("AP8+ \n/w==\n", 11, &buf, &err), 0);
    assert_int_equal(buf.len, 4);
    assert_memory_equal(buf.data, "\x00\xff\x3e\xff", 4);
}

static void base64_refuses_other_alphabets_and_torn_text(void **state)
{
    static const char *const rows[] = {"Y", "YWJjZ", "YW-_", "Y===", "YQ==YQ==", "Y\xc3\xa9=="};
    _cleanup_buf_ struct buf buf;
    struct err err;

    (void)state;
    buf_init(&buf, 64);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(base64_decode(rows[i], strlen(rows[i]), &buf, &err), -1);
}

static void base64_that_does_not_fit_is_told_whatever_else_is_wrong(void **state)
{
    static const char *const rows[] = {"YWJjZA==", "YWJjZA", "YWJjZA!", "YWJjZ"};
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_buf_ struct buf buf;

        buf_init(&buf, 3 - (i == 3));
        assert_int_equal(base64_decode(rows[i], strlen(rows[i]), &buf, &err), -1);
        assert_int_equal(err.code, ERR_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_decodes_every_length),
        cmocka_unit_test(base64_skips_white_space_and_keeps_any_byte),
        cmocka_unit_test(base64_refuses_other_alphabets_and_torn_text),
        cmocka_unit_test(base64_that_does_not_fit_is_told_whatever_else_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
