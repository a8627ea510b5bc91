#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "tpl/lex.h"

/* Read in rows of `room`, the same tokens come, without spaces. */
static void expect_same_in_rows(const char *text, const char *left, const char *right, unsigned room)
{
    struct lexer one, rows;
    struct lex_token token = {0}, tokens[8];
    unsigned count;

    lex_init(&one, text, strlen(text), left, right);
    lex_init(&rows, text, strlen(text), left, right);
    do {
        count = lex_read(&rows, tokens, room);
        assert_in_range(count, 1, room);
        for (unsigned i = 0; i < count; i++) {
            bool spaced = false;

            while ((token = lex_next(&one)).kind == TOKEN_SPACE)
                spaced = true;
            assert_int_equal(tokens[i].spaced, spaced);
            assert_int_equal(tokens[i].kind, token.kind);
            assert_int_equal(tokens[i].pos, token.pos);
            assert_int_equal(tokens[i].len, token.len);
        }
    } while (token.kind != TOKEN_EOF && token.kind != TOKEN_ERROR);
    assert_string_equal(rows.error.data, one.error.data);
    lex_done(&one);
    lex_done(&rows);
}

/* The tokens of `text`, each described and ended by a semicolon; an error ends them. */
static void describe(const char *text, const char *left, const char *right, struct buf *out)
{
    struct lexer lex;
    struct lex_token token;

    for (unsigned room = 1; room <= 8; room++)
        expect_same_in_rows(text, left, right, room);
    lex_init(&lex, text, strlen(text), left, right);
    do {
        token = lex_next(&lex);
        lex_token_describe(&lex, token, out);
        buf_addc(out, ';');
    } while (token.kind != TOKEN_EOF && token.kind != TOKEN_ERROR);
    lex_done(&lex);
}

static void expect_with(const char *text, const char *left, const char *right, const char *expected)
{
    _cleanup_buf_ struct buf out;

    buf_init(&out, KIB(64));
    describe(text, left, right, &out);
    assert_string_equal(out.data, expected);
}

static void expect(const char *text, const char *expected)
{
    expect_with(text, NULL, NULL, expected);
}

static void text_without_actions_is_one_token(void **state)
{
    (void)state;
    expect("", "EOF;");
    expect("a }}\n", "\"a }}\\n\";EOF;");
}

static void an_action_gives_its_words(void **state)
{
    (void)state;
    expect("{{if .x}}", "\"{{\";<if>;\" \";\".x\";\"}}\";EOF;");
    expect("{{$x := nil}}", "\"{{\";\"$x\";\" \";\":=\";\" \";<nil>;\"}}\";EOF;");
    expect("{{(.)|f}}", "\"{{\";\"(\";<.>;\")\";\"|\";\"f\";\"}}\";EOF;");
}

static void tokens_read_in_rows_are_the_same(void **state)
{
    static const char *const actions[] = {
        "f 1 0 01 1. .5 1+2 -3 0x1 1_0",
        "$ $a $a.b $.b",
        "a :=b",
        "a= \"x\" \"\\\"\" \"y",
        "(.) | f (g .a.b)",
        ")",
        "f ,  g",
        ". .a",
        "if else end nil true false range with break continue define template block iff",
        "x- ",
        "- 1",
        ".1a",
        "a\xC3\xA9",
        "\xFF",
        "`raw`",
        "'r'",
        "a\"b\"",
        "$\"",
        ":",
        "f :g",
        "1:2",
        "1)",
        "a}b",
        "f /* */",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        _cleanup_buf_ struct buf text, ignored;

        buf_init(&text, KIB(4));
        buf_init(&ignored, KIB(4));
        buf_addf(&text, "a {{%s}} {{ %s -}} {{- %s b", actions[i], actions[i], actions[i]);
        describe(text.data, NULL, NULL, &ignored);
        describe(text.data, "{{", "$", &ignored);
        describe(text.data, "{{", ".", &ignored);
    }
}

static void keywords_behind_a_dot_are_fields(void **state)
{
    (void)state;
    expect("{{(.if)}}", "\"{{\";\"(\";\".if\";\")\";\"}}\";EOF;");
}

static void an_action_that_is_a_chain_and_nothing_else_is_one_token(void **state)
{
    (void)state;
    expect("a {{ .if.b_2 }} {{- $v.c -}} {{.}}{{$}}", "\"a \";\".if.b_2\";\"$v.c\";\".\";\"$\";EOF;");
    expect("{{.a .b}}", "\"{{\";\".a\";\" \";\".b\";\"}}\";EOF;");
    expect("{{..a}}", "\"{{\";<.>;\".a\";\"}}\";EOF;");
    expect("{{.a.1}}", "\"{{\";\".a\";\".1\";\"}}\";EOF;");
    expect("{{.a\n}}", "\"{{\";\".a\";\"\\n\";\"}}\";EOF;");
    expect("{{.a - }}", "\"{{\";\".a\";\" \";\"-\";\" \";\"}}\";EOF;");
    expect("{{.\xC3\xA9}}", "\"{{\";\".\xC3\xA9\";\"}}\";EOF;");
    expect("{{.a\xC3\xA9}}", "\"{{\";\".a\xC3\xA9\";\"}}\";EOF;");
    expect("{{.a-}}", "\"{{\";bad character U+002D '-';");
}

static void trim_markers_take_the_four_blanks_of_the_neighbouring_text(void **state)
{
    (void)state;
    expect("a \t\r\n{{- 3 -}} \n b", "\"a\";\"{{\";\"3\";\"}}\";\"b\";EOF;");
    expect("a\v {{- 3}}", "\"a\\v\";\"{{\";\"3\";\"}}\";EOF;");
}

static void a_minus_without_white_space_belongs_to_the_number(void **state)
{
    (void)state;
    expect("a {{-3}}", "\"a \";\"{{\";\"-3\";\"}}\";EOF;");
    expect("{{3-}}", "\"{{\";bad number syntax: \"3-\";");
}

static void comments_leave_no_token(void **state)
{
    (void)state;
    expect("a{{/* }} */}}b", "\"a\";\"b\";EOF;");
    expect("a {{- /* x */ -}} b", "\"a\";\"b\";EOF;");
    expect("{{/* x", "unclosed comment;");
    expect("{{/* x */ }}", "comment ends before closing delimiter;");
}

static void delimiters_may_be_anything(void **state)
{
    (void)state;
    expect_with("a@.x@b", "@", "@", "\"a\";\".x\";\"b\";EOF;");
    expect_with("{{.a.b.b", NULL, ".b", "\"{{\";\".a\";\".b\";\".b\";EOF;");
    expect_with("{{hub .hub}}", "{{hub", "hub}}", "\"{{hub\";\" \";<.>;\"hub}}\";EOF;");
}

static void numbers_reach_as_far_as_they_may(void **state)
{
    (void)state;
    expect("{{0x1F 1e3 .5 1+2i 'a'}}", "\"{{\";\"0x1F\";\" \";\"1e3\";\" \";\".5\";\" \";\"1+2i\";\" \";\"'a'\";\"}}\";EOF;");
    expect("{{1_000x}}", "\"{{\";bad number syntax: \"1_000x\";");
}

static void words_must_end_where_something_else_may_begin(void **state)
{
    (void)state;
    expect("{{.a-b}}", "\"{{\";bad character U+002D '-';");
    expect("{{$x=1}}", "\"{{\";bad character U+003D '=';");
    expect("{{\x01}}", "\"{{\";unrecognized character in action: U+0001;");
}

static void what_is_left_open_is_named(void **state)
{
    (void)state;
    expect("{{", "\"{{\";unclosed action;");
    expect("{{(1}}", "\"{{\";\"(\";\"1\";unclosed left paren;");
    expect("{{1)}}", "\"{{\";\"1\";unexpected right paren;");
    expect("{{\"a\n\"}}", "\"{{\";unterminated quoted string;");
    expect("{{'a}}", "\"{{\";unterminated character constant;");
    expect("{{`a}}", "\"{{\";unterminated raw quoted string;");
    expect("{{:x}}", "\"{{\";expected :=;");
}

static void long_tokens_are_cut_in_messages(void **state)
{
    (void)state;
    expect("\xc3\xa9"
           "23456789abcdef",
           "\"\xc3\xa9"
           "23456789a\"...;EOF;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_without_actions_is_one_token),
        cmocka_unit_test(an_action_gives_its_words),
        cmocka_unit_test(tokens_read_in_rows_are_the_same),
        cmocka_unit_test(keywords_behind_a_dot_are_fields),
        cmocka_unit_test(an_action_that_is_a_chain_and_nothing_else_is_one_token),
        cmocka_unit_test(trim_markers_take_the_four_blanks_of_the_neighbouring_text),
        cmocka_unit_test(a_minus_without_white_space_belongs_to_the_number),
        cmocka_unit_test(comments_leave_no_token),
        cmocka_unit_test(delimiters_may_be_anything),
        cmocka_unit_test(numbers_reach_as_far_as_they_may),
        cmocka_unit_test(words_must_end_where_something_else_may_begin),
        cmocka_unit_test(what_is_left_open_is_named),
        cmocka_unit_test(long_tokens_are_cut_in_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
