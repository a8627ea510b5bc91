#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "inject/value.h"

/* "" says that there is no error. */
static void bools_are_go_s_with_an_empty_one_for_false(void **state)
{
    static const struct {
        const char *text, *error;
        bool value;
    } rows[] = {
        {"1", "", true},
        {"t", "", true},
        {"T", "", true},
        {"true", "", true},
        {"TRUE", "", true},
        {"True", "", true},
        {"0", "", false},
        {"f", "", false},
        {"F", "", false},
        {"false", "", false},
        {"FALSE", "", false},
        {"False", "", false},
        {"", "", false},
        {"tRuE", "cannot parse '' as bool: strconv.ParseBool: parsing \"tRuE\": invalid syntax", false},
        {" true", "cannot parse '' as bool: strconv.ParseBool: parsing \" true\": invalid syntax", false},
        {"yes\n", "cannot parse '' as bool: strconv.ParseBool: parsing \"yes\\n\": invalid syntax", false},
        {"on\"", "cannot parse '' as bool: strconv.ParseBool: parsing \"on\\\"\": invalid syntax", false},
        {"\xff\x01", "cannot parse '' as bool: strconv.ParseBool: parsing \"\\xff\\x01\": invalid syntax", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {.text = ""};
        bool value = !rows[i].value;

        assert_int_equal(value_bool(str_of(rows[i].text), &value, &err), *rows[i].error ? -1 : 0);
        assert_string_equal(err.text, rows[i].error);
        assert_true(*rows[i].error || value == rows[i].value);
    }
}

static void integers_are_64_bits_with_go_s_errors(void **state)
{
    struct err err;
    int64_t i;
    uint64_t u;

    (void)state;
    assert_int_equal(value_int(STR(""), &i, &err), 0);
    assert_int_equal(i, 0);
    assert_int_equal(value_int(STR("+0007"), &i, &err), 0);
    assert_int_equal(i, 7);
    assert_int_equal(value_int(STR("-9223372036854775808"), &i, &err), 0);
    assert_true(i == INT64_MIN);
    assert_int_equal(value_int(STR("9223372036854775808"), &i, &err), -1);
    assert_string_equal(err.text, "strconv.ParseInt: parsing \"9223372036854775808\": value out of range");
    assert_int_equal(value_int(STR("-"), &i, &err), -1);
    assert_string_equal(err.text, "strconv.ParseInt: parsing \"-\": invalid syntax");
    assert_int_equal(value_uint(STR("01"), &u, &err), 0);
    assert_int_equal(u, 1);
    assert_int_equal(value_uint(STR(""), &u, &err), -1);
    assert_string_equal(err.text, "strconv.ParseUint: parsing \"\": invalid syntax");
    assert_int_equal(value_uint(STR("+1"), &u, &err), -1);
}

static void floats_take_go_s_syntax_and_nothing_of_c_s(void **state)
{
    static const char *const good[] = {"0.9", ".5", "1e-3", "+2.", "0x1p-2", "inf", "-Infinity", "NaN"},
                             *const bad[] = {"", "x", "1_0", " 1", "0x1", "nan(1)", "1e", "--1", "1\t", "+nan"};
    struct err err;
    double f;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(value_float(str_of(good[i]), &f, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(value_float(str_of(bad[i]), &f, &err), -1);
    assert_int_equal(value_float(STR("1e999"), &f, &err), -1);
    assert_string_equal(err.text, "strconv.ParseFloat: parsing \"1e999\": value out of range");
}

static void durations_need_units(void **state)
{
    static const char *const rows[][2] = {
        {"1s", ""},
        {"1m30s", ""},
        {"0", ""},
        {"-1.5h", ""},
        {"10\xc2\xb5s", ""},
        {".5s", ""},
        {"", "time: invalid duration \"\""},
        {"x", "time: invalid duration \"x\""},
        {".s", "time: invalid duration \".s\""},
        {"5", "time: missing unit in duration \"5\""},
        {"1d", "time: unknown unit \"d\" in duration \"1d\""},
        {"1s ", "time: unknown unit \"s \" in duration \"1s \""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {.text = ""};

        assert_int_equal(value_duration(str_of(rows[i][0]), &err), *rows[i][1] ? -1 : 0);
        assert_string_equal(err.text, rows[i][1]);
    }
}

/* Quantities are written in Kubernetes' canonical form, but for those that it leaves alone. */
static void quantities_become_canonical(void **state)
{
    static const char *const rows[][2] = {
        {"500m", "500m"},
        {"0.5", "500m"},
        {"1000m", "1"},
        {"1", "1"},
        {"0", "0"},
        {"0.0Mi", "0"},
        {"000", "0"},
        {"128Mi", "128Mi"},
        {"1024Mi", "1Gi"},
        {"0.5Mi", "512Ki"},
        {"1.5Gi", "1536Mi"},
        {"0.5Ki", "512"},
        {"1.1Ki", "1126400m"},
        {"128M", "128M"},
        {"1000k", "1M"},
        {"1e3", "1e3"},
        {"12e4", "120e3"},
        {"-5m", "-5m"},
        {"+1", "+1"},
        {"0.0000000001", "1n"},
        {"1.G", "1.G"},
        {"100E", "100E"},
        {"9Ei", "9223372036854775807"},
        {"0.25", "250m"},
        {"1E3", "1E3"},
        {"1e+3", "1e+3"},
        {"9Ki", "9Ki"},
        {"8Ki", "8Ki"},
        {"1e1", "10"},
        {"1.5Ei", "1536Pi"},
        {"0.9999999999", "1"},
        {"7.999Ei", "9222219115350168961024m"},
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_buf_ struct buf buf = {0};

        assert_int_equal(value_quantity(str_of(rows[i][0]), &buf, &err), 0);
        assert_string_equal(buf.data, rows[i][1]);
    }
}

static void quantities_are_refused_in_kubernetes_words(void **state)
{
    static const char *const form[] = {"", "128mb", "128g", "64gib", "1 Gi", "x", "1Gi ", "1..5"}, *const suffix[] = {"500mi",
                                                                                                                      "1mm", "1e",
                                                                                                                      "1Mik"};
    struct buf buf;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(form); i++) {
        assert_int_equal(value_quantity(str_of(form[i]), &buf, &err), -1);
        assert_non_null(strstr(err.text, "quantities must match the regular expression"));
    }
    for (size_t i = 0; i < ARRAY_LEN(suffix); i++) {
        assert_int_equal(value_quantity(str_of(suffix[i]), &buf, &err), -1);
        assert_string_equal(err.text, "unable to parse quantity's suffix");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bools_are_go_s_with_an_empty_one_for_false),
        cmocka_unit_test(integers_are_64_bits_with_go_s_errors),
        cmocka_unit_test(floats_take_go_s_syntax_and_nothing_of_c_s),
        cmocka_unit_test(durations_need_units),
        cmocka_unit_test(quantities_become_canonical),
        cmocka_unit_test(quantities_are_refused_in_kubernetes_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
