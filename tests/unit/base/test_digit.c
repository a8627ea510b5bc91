#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/digit.h"

/* Against the alphabet: every byte, as signed char and as number, and the -1 of an end. */
static void every_byte_has_the_value_of_its_place_in_the_alphabet(void **state)
{
    static const char small[] = "0123456789abcdefghijklmnopqrstuvwxyz", large[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    (void)state;
    for (int c = 1; c < 256; c++) {
        const char *place = strchr(small, c) ? strchr(small, c) : strchr(large, c);
        unsigned value = !place ? DIGIT_NONE : (unsigned)(strchr(small, c) ? place - small : place - large);

        assert_int_equal(digit_value(c), value);
        assert_int_equal(digit_value((char)c), value);
    }
    assert_int_equal(digit_value(0), DIGIT_NONE);
    assert_int_equal(digit_value(-1), DIGIT_NONE);
}

static void an_escape_is_two_digits_behind_a_percent(void **state)
{
    (void)state;
    assert_int_equal(digit_percent("%41", 3), 'A');
    assert_int_equal(digit_percent("%fF0", 4), 255);
    assert_int_equal(digit_percent("%00", 3), 0);
    assert_int_equal(digit_percent("%41", 2), -1);
    assert_int_equal(digit_percent("%4g", 3), -1);
    assert_int_equal(digit_percent("%-1", 3), -1);
    assert_int_equal(digit_percent("a41", 3), -1);
    assert_int_equal(digit_percent("", 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_has_the_value_of_its_place_in_the_alphabet),
        cmocka_unit_test(an_escape_is_two_digits_behind_a_percent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
