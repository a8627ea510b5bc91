#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "go/format.h"
#include "go/typed.h"

static const struct go_class pointer_class = {.base.name = "*dependency.Secret", .pointer = true};

static struct val record(const struct val_pair *pairs, size_t len)
{
    return go_record(pairs, len, &pointer_class);
}

static void a_pointer_is_followed_when_printed_and_marked_by_print(void **state)
{
    _cleanup_buf_ struct buf buf = {0};
    const struct val_pair fields[] = {{VAL_KEY("A"), val_int(1)}, {VAL_KEY("B"), record(NULL, 0)}};
    struct val v = record(fields, 2);

    (void)state;
    buf_init(&buf, 100);
    format_print(&buf, &v);
    buf_addc(&buf, ' ');
    format_sprint(&buf, &v, 1);
    assert_string_equal(buf.data, "{1 <nil>} &{1 <nil>}");
}

static void addresses_are_never_shown(void **state)
{
    _cleanup_buf_ struct buf buf = {0};
    const struct val_pair inner[] = {{VAL_KEY("A"), val_int(1)}}, outer[] = {{VAL_KEY("P"), record(inner, 1)}};
    struct val v = record(outer, 1);

    (void)state;
    buf_init(&buf, 100);
    format_print(&buf, &v);
    assert_string_equal(buf.data, "{0xc000012345}");
}

static void what_does_not_fit_leaves_an_empty_full_buffer(void **state)
{
    struct val args[] = {val_int(200), val_cstr("text"), val_int(7), val_float(0.1), val_null()};
    static const char *const formats[] = {"%[1]*[2]s",
                                          "%-200[2]s",
                                          "%200[4]f",
                                          "%#.200[4]g",
                                          "%200[3]d",
                                          "%.200[3]x",
                                          "%#200[3]U",
                                          "%0200[4]e",
                                          "%200[2]q",
                                          "%x %200[2]x",
                                          "%[9]d%[1]*d%v%v%v%v%v%v%v%v%v%v%v%v%v%v%v%v%v"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        _cleanup_buf_ struct buf buf = {0};
        struct err err;

        buf_init(&buf, 20);
        format_sprintf(&buf, str_of(formats[i]), args, ARRAY_LEN(args));
        assert_int_equal(buf.len, 0);
        assert_int_equal(buf_check(&buf, "x", &err), -1);
    }
}

static void nesting_is_cut_off_before_the_stack_is(void **state)
{
    _cleanup_buf_ struct buf buf = {0};
    static struct val lists[LIMIT_PRINT_DEPTH * 3];

    (void)state;
    buf_init(&buf, MIB(1));
    lists[0] = val_int(1);
    for (size_t i = 1; i < ARRAY_LEN(lists); i++)
        lists[i] = val_list(&lists[i - 1], 1);
    format_print(&buf, &lists[ARRAY_LEN(lists) - 1]);
    assert_non_null(strstr(buf.data, "[...]"));
}

static void runes_have_names(void **state)
{
    _cleanup_buf_ struct buf buf = {0};

    (void)state;
    buf_init(&buf, 100);
    format_rune_name(&buf, '-');
    format_rune_name(&buf, 0xA0);
    assert_string_equal(buf.data, "U+002D '-'U+00A0");
}

static void types_have_the_names_of_go(void **state)
{
    struct val null = val_null(), missing = {0}, number = val_number("1", 1), strings = go_strings(NULL, 0);
    struct val secret = record(NULL, 0), byte = {.kind = VAL_UINT, .type = GO_T_UINT8};

    (void)state;
    assert_string_equal(format_type_name(&null), "<nil>");
    assert_string_equal(format_type_name(&missing), "<nil>");
    assert_string_equal(format_type_name(&number), "json.Number");
    assert_string_equal(format_type_name(&strings), "[]string");
    assert_string_equal(format_type_name(&secret), "*dependency.Secret");
    assert_string_equal(format_type_name(&byte), "uint8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pointer_is_followed_when_printed_and_marked_by_print),
        cmocka_unit_test(addresses_are_never_shown),
        cmocka_unit_test(what_does_not_fit_leaves_an_empty_full_buffer),
        cmocka_unit_test(nesting_is_cut_off_before_the_stack_is),
        cmocka_unit_test(runes_have_names),
        cmocka_unit_test(types_have_the_names_of_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
