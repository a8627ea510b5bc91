#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"

struct fixture {
    struct arena arena;
    struct val v;
    struct err err;
    struct val_place place;
};

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));

    arena_init(&f->arena, MIB(64), "document");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_done(&f->arena);
    mem_free(f);
    return 0;
}

static int read_text(struct fixture *f, const char *text, unsigned flags)
{
    struct json_options options = {.flags = flags, .place = &f->place, .file = 3};

    return json_read(text, strlen(text), &options, &f->arena, &f->v, &f->err);
}

static void expect_printed(struct fixture *f, const char *text, unsigned read, unsigned write, const char *printed)
{
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, MIB(1));
    assert_int_equal(read_text(f, text, read), 0);
    assert_int_equal(json_write(&buf, &f->v, write, &f->err), 0);
    assert_string_equal(buf.data, printed);
}

static void expect_refused(struct fixture *f, const char *text, unsigned flags, const char *words)
{
    assert_int_equal(read_text(f, text, flags), -1);
    assert_string_equal(f->err.text, words);
}

static void json_round_trips_every_kind_of_value(void **state)
{
    expect_printed(*state, " {\"b\" : [1, -2.50e+3, true, false, null, {}, [] ], \"a\":\"x\" } \n", 0, 0,
                   "{\"a\":\"x\",\"b\":[1,-2.50e+3,true,false,null,{},[]]}");
}

static void json_number_keeps_its_spelling(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_text(f, "12345678901234567890", 0), 0);
    assert_int_equal(f->v.kind, VAL_NUMBER);
    assert_string_equal(f->v.s.data, "12345678901234567890");
    expect_printed(f, "[1.50, 1e5, -0, 0.0]", 0, 0, "[1.50,1e5,-0,0.0]");
}

static void json_prints_floats_as_go_does(void **state)
{
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"1", "1"},
        {"1.50", "1.5"},
        {"12345678901234567890", "12345678901234567000"},
        {"1e21", "1e+21"},
        {"1e20", "100000000000000000000"},
        {"0.000001", "0.000001"},
        {"0.0000001", "1e-7"},
        {"1.5e-9", "1.5e-9"},
        {"-0.0", "-0"},
        {"100", "100"},
        {"0.1", "0.1"},
        {"123.456", "123.456"},
        {"-12.5", "-12.5"},
        {"5e-324", "5e-324"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"0.012", "0.012"},
        {"9007199254740993", "9007199254740992"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_printed(*state, rows[i].text, JSON_FLOATS, 0, rows[i].printed);
}

static void json_pretty_indents_by_two_and_keeps_empties_on_one_line(void **state)
{
    expect_printed(*state, "{\"a\":[1,{}],\"b\":{},\"c\":[]}", 0, JSON_PRETTY,
                   "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {},\n  \"c\": []\n}");
}

static void json_writer_escapes_as_go_does(void **state)
{
    struct fixture *f = *state;
    struct val v = val_str("<&>\"\\/\b\f\n\r\t\x01\x7f\xff\xe2\x80\xa8\xc3\xa9", 19);
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, KIB(1));
    assert_int_equal(json_write(&buf, &v, 0, &f->err), 0);
    assert_string_equal(buf.data, "\"\\u003c\\u0026\\u003e\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\\ufffd\\u2028\xc3\xa9\"");
    buf_reset(&buf);
    assert_int_equal(json_write(&buf, &v, JSON_NO_HTML, &f->err), 0);
    assert_memory_equal(buf.data, "\"<&>", 4);
}

static void json_writer_refuses_what_json_cannot_say(void **state)
{
    struct fixture *f = *state;
    struct val nan = val_float(__builtin_nan("")), any = val_map(NULL, 0), complex = {.kind = VAL_COMPLEX};
    _cleanup_buf_ struct buf buf;

    any.type = VAL_T_ANY_KEY;
    buf_init(&buf, KIB(1));
    assert_int_equal(json_write(&buf, &nan, 0, &f->err), -1);
    assert_string_equal(f->err.text, "json: unsupported value: NaN");
    assert_int_equal(json_write(&buf, &any, 0, &f->err), -1);
    assert_string_equal(f->err.text, "json: unsupported type: map[interface {}]interface {}");
    assert_int_equal(json_write(&buf, &complex, 0, &f->err), -1);
}

static void json_bytes_are_written_in_base64(void **state)
{
    struct fixture *f = *state;
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, KIB(1));
    for (size_t len = 0; len <= 4; len++) {
        struct val v = val_str("abcd", len);

        v.type = VAL_T_BYTES;
        assert_int_equal(json_write(&buf, &v, 0, &f->err), 0);
    }
    assert_string_equal(buf.data, "\"\"\"YQ==\"\"YWI=\"\"YWJj\"\"YWJjZA==\"");
}

static void json_errors_use_the_words_of_go(void **state)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "unexpected end of JSON input"},
        {"{\"a\":", "unexpected end of JSON input"},
        {"\"ab", "unexpected end of JSON input"},
        {"\"\\", "invalid character ' ' in string escape code"},
        {"\"\\u12", "invalid character ' ' in \\u hexadecimal character escape"},
        {"tru", "invalid character ' ' in literal true (expecting 'e')"},
        {"-", "invalid character ' ' in numeric literal"},
        {"1 x", "invalid character 'x' after top-level value"},
        {"x", "invalid character 'x' looking for beginning of value"},
        {"[1,]", "invalid character ']' looking for beginning of value"},
        {"[1 2]", "invalid character '2' after array element"},
        {"{1:2}", "invalid character '1' looking for beginning of object key string"},
        {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
        {"{\"a\" 1}", "invalid character '1' after object key"},
        {"{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair"},
        {"\"a\nb\"", "invalid character '\\n' in string literal"},
        {"\"\\q\"", "invalid character 'q' in string escape code"},
        {"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"},
        {"-a", "invalid character 'a' in numeric literal"},
        {"01", "invalid character '1' after top-level value"},
        {"1.x", "invalid character 'x' after decimal point in numeric literal"},
        {"1ex", "invalid character 'x' in exponent of numeric literal"},
        {"trux", "invalid character 'x' in literal true (expecting 'e')"},
        {"\xc3\xa9", "invalid character '\xc3\x83' looking for beginning of value"},
        {"'", "invalid character '\\'' looking for beginning of value"},
        {"\x01", "invalid character '\\x01' looking for beginning of value"},
        {"\x85", "invalid character '\\u0085' looking for beginning of value"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_refused(*state, rows[i].text, 0, rows[i].words);
    expect_refused(*state, "1e999", JSON_FLOATS, "json: cannot unmarshal number 1e999 into Go value of type float64");
}

static void json_errors_of_secret_text_say_only_where(void **state)
{
    expect_refused(*state, "{\"a\":\n Zs3cret}", JSON_SECRET,
                   "invalid character looking for beginning of value (line 2, column 2)");
    expect_refused(*state, "1e999", JSON_SECRET | JSON_FLOATS,
                   "json: cannot unmarshal number (out of range) into Go value of type float64 (line 1, column 1)");
    expect_refused(*state, "{\"Zs3cret\":1,\"Zs3cret\":2}", JSON_SECRET | JSON_UNIQUE_KEYS, "duplicate object key");
}

static void json_nodes_know_their_place(void **state)
{
    struct fixture *f = *state;
    const struct val *v;

    assert_int_equal(read_text(f, "{\n  \"a\": [1,\n 22]\n}", 0), 0);
    v = val_get(&f->v, "a");
    assert_non_null(v);
    assert_int_equal(v->line, 2);
    assert_int_equal(v->column, 8);
    assert_int_equal(v->file, 3);
    assert_int_equal(v->list.items[1].line, 3);
    assert_int_equal(v->list.items[1].column, 2);
    assert_int_equal(read_text(f, "[\n\n  x]", 0), -1);
    assert_int_equal(f->place.line, 3);
    assert_int_equal(f->place.column, 3);
}

static void json_duplicate_keys_follow_the_flag(void **state)
{
    struct fixture *f = *state;
    const char *text = "{\"b\":1,\"a\":2,\"b\":3,\"b\":4}";

    expect_printed(f, text, 0, 0, "{\"a\":2,\"b\":4}");
    expect_printed(f, text, JSON_ALL_KEYS, 0, "{\"a\":2,\"b\":1,\"b\":3,\"b\":4}");
    expect_refused(f, text, JSON_UNIQUE_KEYS, "duplicate object key \"b\"");
    assert_int_equal(f->place.column, 14);
}

static void json_strings_decode_escapes_and_surrogate_pairs(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_text(f, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"", 0), 0);
    assert_string_equal(f->v.s.data, "\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80");
    assert_int_equal(read_text(f, "\"a\\u0000b\"", 0), 0);
    assert_int_equal(f->v.s.len, 3);
}

static void json_bad_text_encoding_is_refused_or_replaced(void **state)
{
    struct fixture *f = *state;

    expect_refused(f, "\"\xff\"", 0, "invalid UTF-8 in string literal");
    expect_refused(f, "\"\\ud800\"", 0, "invalid Unicode escape in string literal");
    assert_int_equal(read_text(f, "\"\xff\xc0\xaf\xed\xa0\x80\"", JSON_REPLACE_UTF8), 0);
    assert_int_equal(f->v.s.len, 6 * 3);
    assert_int_equal(read_text(f, "\"\\ud800\\ud83d\\ude00\\udc00x\"", JSON_REPLACE_UTF8), 0);
    assert_string_equal(f->v.s.data, "\xef\xbf\xbd\xf0\x9f\x98\x80\xef\xbf\xbdx");
}

static void json_dialect_of_hcl_is_as_loose_as_the_original_and_refuses_the_escaped_slash(void **state)
{
    struct fixture *f = *state;

    expect_printed(f, "{\"a\":[1,2,],}", JSON_HCL, 0, "{\"a\":[1,2]}");
    expect_printed(f, "[,1,,2 3,]", JSON_HCL, 0, "[1,2,3]");
    expect_printed(f, "{\"a\":{\"b\":\"x\ty\",", JSON_HCL, 0, "{\"a\":{\"b\":\"x\\ty\"}}");
    expect_printed(f, "{} x", JSON_HCL, 0, "{}");
    expect_refused(f, "[1", JSON_HCL, "unexpected end of JSON input");
    expect_refused(f, "{\"a\" 1}", JSON_HCL, "invalid character '1' after object key");
    expect_refused(f, "\"a\nb\"", JSON_HCL, "invalid character '\\n' in string literal");
    expect_refused(f, "\"\\/\"", JSON_HCL, "invalid character '/' in string escape code");
    assert_int_equal(read_text(f, "\"\\x41\\101\\a\\U0001F600\"", JSON_HCL), 0);
    assert_string_equal(f->v.s.data, "AA\a\xf0\x9f\x98\x80");
}

static void fill(char *text, size_t len, const char *open, const char *close)
{
    memset(text, *open, len / 2);
    memset(text + len / 2, *close, len / 2);
    text[len] = '\0';
}

static void json_depth_is_bounded(void **state)
{
    struct fixture *f = *state;
    char text[2 * LIMIT_DEPTH + 3];

    fill(text, 2 * LIMIT_DEPTH, "[", "]");
    assert_int_equal(read_text(f, text, 0), 0);
    fill(text, 2 * LIMIT_DEPTH + 2, "[", "]");
    expect_refused(f, text, 0, "exceeded max depth");
    assert_int_equal(f->err.code, ERR_LIMIT);
}

static void json_members_are_bounded(void **state)
{
    struct fixture *f = *state;
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, MIB(1));
    buf_addc(&buf, '[');
    for (size_t i = 0; i < LIMIT_MEMBERS - 1; i++)
        buf_adds(&buf, "1,");
    buf_adds(&buf, "1");
    buf_adds(&buf, "]");
    assert_int_equal(read_text(f, buf.data, 0), 0);
    assert_int_equal(f->v.list.len, LIMIT_MEMBERS);
    buf_cut(&buf, buf.len - 1);
    buf_adds(&buf, ",1]");
    assert_int_equal(read_text(f, buf.data, 0), -1);
    assert_int_equal(f->err.code, ERR_LIMIT);
}

static void json_numbers_beyond_float64_fail_behind_the_end_or_are_null(void **state)
{
    expect_refused(*state, "[1e999", JSON_FLOATS, "unexpected end of JSON input");
    expect_refused(*state, "[1e999, -1e998]", JSON_FLOATS, "json: cannot unmarshal number 1e999 into Go value of type float64");
    expect_printed(*state, "[1,1e999]", JSON_FLOATS | JSON_UNFIT_NULL, 0, "[1,null]");
}

static void json_failure_leaves_the_result_untouched(void **state)
{
    struct fixture *f = *state;

    f->v = val_int(7);
    assert_int_equal(read_text(f, "[1,2", 0), -1);
    assert_int_equal(f->v.kind, VAL_INT);
    assert_int_equal(f->v.i, 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(json_round_trips_every_kind_of_value),
        TEST(json_number_keeps_its_spelling),
        TEST(json_prints_floats_as_go_does),
        TEST(json_pretty_indents_by_two_and_keeps_empties_on_one_line),
        TEST(json_writer_escapes_as_go_does),
        TEST(json_writer_refuses_what_json_cannot_say),
        TEST(json_bytes_are_written_in_base64),
        TEST(json_errors_use_the_words_of_go),
        TEST(json_errors_of_secret_text_say_only_where),
        TEST(json_nodes_know_their_place),
        TEST(json_duplicate_keys_follow_the_flag),
        TEST(json_strings_decode_escapes_and_surrogate_pairs),
        TEST(json_bad_text_encoding_is_refused_or_replaced),
        TEST(json_dialect_of_hcl_is_as_loose_as_the_original_and_refuses_the_escaped_slash),
        TEST(json_depth_is_bounded),
        TEST(json_members_are_bounded),
        TEST(json_numbers_beyond_float64_fail_behind_the_end_or_are_null),
        TEST(json_failure_leaves_the_result_untouched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
