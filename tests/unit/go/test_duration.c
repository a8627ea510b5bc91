#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "go/duration.h"

static void go_durations_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t nanos;
    } rows[] = {
        {"0", 0},
        {"-0", 0},
        {"5ns", 5},
        {"1.5\xC2\xB5s", 1500},
        {"1.5\xCE\xBCs", 1500},
        {"-1h30m", -5400 * DURATION_SECOND},
        {".5s", DURATION_SECOND / 2},
        {"9223372036854775807ns", INT64_MAX},
        {"-9223372036854775808ns", INT64_MIN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err;
        int64_t nanos = 7;

        assert_int_equal(duration_parse(str_of(rows[i].text), false, &nanos, &err), 0);
        assert_int_equal(nanos, rows[i].nanos);
    }
}

static void their_errors_are_those_of_go(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "time: invalid duration \"\""},
        {"-", "time: invalid duration \"-\""},
        {".s", "time: invalid duration \".s\""},
        {"90", "time: missing unit in duration \"90\""},
        {"1h5", "time: missing unit in duration \"1h5\""},
        {"7d", "time: unknown unit \"d\" in duration \"7d\""},
        {"5 s", "time: unknown unit \" s\" in duration \"5 s\""},
        {"9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""},
        {"300000000h", "time: invalid duration \"300000000h\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {.text = ""};
        int64_t nanos = 7;

        assert_int_equal(duration_parse(str_of(rows[i].text), false, &nanos, &err), -1);
        assert_string_equal(err.text, rows[i].error);
        assert_int_equal(nanos, 7);
        assert_int_equal(duration_parse(str_of(rows[i].text), true, &nanos, &err), -1);
        assert_non_null(strstr(err.text, "[redacted]"));
    }
}

static void settings_have_days_and_bare_seconds_too(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"90", 90000},  {"90s", 90000},    {"5m", 300000},      {"1h30m", 5400000},
        {"250ms", 250}, {"1.5h", 5400000}, {"7d", 604800000},   {"0", 0},
        {"-5s", -5000}, {".5s", 500},      {"1h0m1s", 3601000}, {"1d12h", 129600000},
        {"1.5", 1500},  {"-90", -90000},   {"+5m", 300000},     {"3650d", INT64_C(315360000000)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err;
        int64_t ms;

        assert_int_equal(duration_setting(str_of(rows[i].text), &ms, &err), 0);
        assert_int_equal(ms, rows[i].ms);
    }
}

static void their_errors_say_how_to_write_one(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "empty duration; write for example 90s, 5m or 1h30m"},
        {"-", "not a duration; write for example 90s, 5m or 1h30m"},
        {"s", "not a duration; write for example 90s, 5m or 1h30m"},
        {"5x", "duration without a known unit (ns us ms s m h d)"},
        {"1h5", "duration without a known unit (ns us ms s m h d)"},
        {"5 s", "duration without a known unit (ns us ms s m h d)"},
        {"1e3s", "duration without a known unit (ns us ms s m h d)"},
        {"3651d", "duration over ten years"},
        {"400000h0d9999d", "duration over ten years"},
        {"99999999999999999999", "duration over ten years"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {.text = ""};
        int64_t ms = 7;

        assert_int_equal(duration_setting(str_of(rows[i].text), &ms, &err), -1);
        assert_int_equal(err.code, ERR_INPUT);
        assert_string_equal(err.text, rows[i].error);
        assert_int_equal(ms, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(go_durations_are_read),
        cmocka_unit_test(their_errors_are_those_of_go),
        cmocka_unit_test(settings_have_days_and_bare_seconds_too),
        cmocka_unit_test(their_errors_say_how_to_write_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
