#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void utf8_round_trips_every_code_point(void **state)
{
    char text[4];
    unsigned back;

    (void)state;
    for (unsigned rune = 0; rune <= 0x10FFFF; rune++) {
        size_t width;

        if (rune >= 0xD800 && rune <= 0xDFFF)
            continue;
        width = utf8_put(rune, text);
        assert_int_equal(utf8_decode(text, width, &back), width);
        assert_int_equal(back, rune);
        assert_int_equal(utf8_decode(text, width - 1, &back), 0);
    }
}

static void utf8_writes_the_replacement_for_what_is_no_code_point(void **state)
{
    char text[4];

    (void)state;
    assert_int_equal(utf8_put(0xD800, text), 3);
    assert_memory_equal(text, "\xef\xbf\xbd", 3);
    assert_int_equal(utf8_put(0x110000, text), 3);
}

static void utf8_refuses_overlong_forms_surrogates_and_strays(void **state)
{
    static const char *const rows[] = {
        "\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
        "\xff", "a\xc3",    "\xc3(",        "\xe2\x82"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_false(utf8_valid(rows[i], strlen(rows[i])));
    assert_true(utf8_valid("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10));
    assert_true(utf8_valid("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_round_trips_every_code_point),
        cmocka_unit_test(utf8_writes_the_replacement_for_what_is_no_code_point),
        cmocka_unit_test(utf8_refuses_overlong_forms_surrogates_and_strays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
