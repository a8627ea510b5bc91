#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "go/numeral.h"

static void a_truth_is_one_of_twelve_words(void **state)
{
    static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"}, *const no[] = {"0",     "f",     "F",
                                                                                             "FALSE", "false", "False"};
    static const char *const none[] = {"", "tRuE", " true", "true ", "yes", "on", "01", "2", "-1"};
    bool on;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        on = false;
        assert_true(numeral_bool(str_of(yes[i]), &on));
        assert_true(on);
        assert_true(numeral_bool(str_of(no[i]), &on));
        assert_false(on);
    }
    on = true;
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_false(numeral_bool(str_of(none[i]), &on));
    assert_false(numeral_bool((struct str){"1\0", 2}, &on));
    assert_true(on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_truth_is_one_of_twelve_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
