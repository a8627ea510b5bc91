#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "fn/functions.h"
#include "tpl/tpl.h"

static int parse_with(const char *source, size_t len, const struct tpl_options *options, struct err *err)
{
    static const struct tpl_options plain = {.functions = &functions_all};
    _cleanup_tpl_ struct tpl *tpl = NULL;

    return tpl_parse(source, len, options ? options : &plain, &tpl, err);
}

static void refused(const char *source, const char *message)
{
    const struct tpl_options options = {.name = "t", .functions = &functions_all};
    struct err err = {0};

    assert_int_equal(parse_with(source, strlen(source), &options, &err), -1);
    assert_string_equal(err.text, message);
}

static void accepted(const char *source)
{
    struct err err = {0};

    if (parse_with(source, strlen(source), NULL, &err) != 0)
        fail_msg("%s: %s", source, err.text);
}

/* `open` N times, `middle`, `close` N times. */
static char *nested(const char *open, const char *middle, const char *close, size_t n)
{
    struct buf buf;

    buf_init(&buf, MIB(8));
    for (size_t i = 0; i < n; i++)
        buf_adds(&buf, open);
    buf_adds(&buf, middle);
    for (size_t i = 0; i < n; i++)
        buf_adds(&buf, close);
    return buf_take(&buf);
}

static void every_statement_is_accepted(void **state)
{
    (void)state;
    accepted("{{if 1}}{{else if 2}}{{else}}{{end}}{{with 1}}{{else with 2}}{{else}}{{end}}");
    accepted("{{range $k, $v := .}}{{break}}{{continue}}{{else}}{{end}}{{range 3}}{{end}}");
    accepted("{{define \"a\"}}{{template \"a\" .}}{{end}}{{block `b` .x.y}}{{end}}{{/* c */}}");
    accepted("{{$x := 1}}{{$x = 2}}{{$x | printf \"%d\" | len}}{{(print 1).x}}{{.x | }}");
}

static void the_line_is_that_of_the_newest_token(void **state)
{
    (void)state;
    refused("\n{{.x}}\n{{end}}", "template: t:3: unexpected {{end}}");
    refused("{{if 1}}\n\n", "template: t:3: unexpected EOF");
    refused("{{.a\n.b\n.c!}}", "template: t:3: bad character U+0021 '!' in action started at t:1");
    refused("{{block \"x\" 1}}\n\n{{else}}{{end}}", "template: t:1: unexpected {{else}} in block clause");
}

static void an_error_on_a_later_line_names_where_its_action_began(void **state)
{
    (void)state;
    refused("{{ 1\n\n", "template: t:3: unclosed action started at t:1");
    refused("{{if 1}}\n{{/* x", "template: t:2: unclosed comment in action started at t:1");
}

static void names_are_checked_before_anything_runs(void **state)
{
    (void)state;
    refused("{{nope}}", "template: t:1: function \"nope\" not defined");
    refused("{{$x}}", "template: t:1: undefined variable \"$x\"");
    refused("{{$x := 1}}{{define \"d\"}}{{$x}}{{end}}", "template: t:1: undefined variable \"$x\"");
    refused("{{if $x := 1}}{{end}}{{$x}}", "template: t:1: undefined variable \"$x\"");
}

static void empty_pipelines_say_what_they_are_for(void **state)
{
    (void)state;
    refused("{{}}", "template: t:1: missing value for command");
    refused("{{if}}{{end}}", "template: t:1: missing value for if");
    refused("{{print ()}}", "template: t:1: missing value for parenthesized pipeline");
    refused("{{block \"x\"}}{{end}}", "template: t:1: missing value for block clause");
}

static void only_a_range_declares_two_variables(void **state)
{
    (void)state;
    refused("{{$a, $b := 1}}", "template: t:1: too many declarations in command");
    refused("{{range $a, $b, $c := 1}}{{end}}", "template: t:1: too many declarations in range");
    refused("{{range $a, 1 := 1}}{{end}}", "template: t:1: range can only initialize variables");
}

static void break_and_continue_stay_in_their_loop(void **state)
{
    (void)state;
    refused("{{break}}", "template: t:1: {{break}} outside {{range}}");
    refused("{{range .}}{{else}}{{continue}}{{end}}", "template: t:1: {{continue}} outside {{range}}");
    refused("{{range .}}{{block \"b\" .}}{{break}}{{end}}{{end}}", "template: t:1: {{break}} outside {{range}}");
}

static void only_an_empty_definition_may_be_replaced(void **state)
{
    (void)state;
    accepted("{{define \"a\"}} {{end}}{{define \"a\"}}x{{end}}{{define \"a\"}}{{/* */}}{{end}}");
    refused("{{define \"a\"}}x{{end}}{{define \"a\"}}y{{end}}", "template: t:1: template: multiple definition of template \"a\"");
}

static void stages_of_a_pipeline_must_be_commands(void **state)
{
    (void)state;
    refused("{{1 | print | 2}}", "template: t:1: non executable command in pipeline stage 3");
    refused("{{1.x}}", "template: t:1: bad number syntax: \"1.x\"");
    refused("{{\"a\".x}}", "template: t:1: unexpected . after term \"\\\"a\\\"\"");
}

static void literals_are_checked(void **state)
{
    (void)state;
    refused("{{\"\\z\"}}", "template: t:1: invalid syntax");
    refused("{{'ab'}}", "template: t:1: malformed character constant: 'ab'");
    refused("{{1e400}}", "template: t:1: illegal number syntax: \"1e400\"");
    refused("{{99999999999999999999}}", "template: t:1: integer overflow: \"99999999999999999999\"");
}

static void parentheses_nest_ten_thousand_deep_and_no_deeper(void **state)
{
    _cleanup_free_ char *deep = nested("(", "1", ")", LIMIT_TEMPLATE_PARENTHESES);
    _cleanup_free_ char *deeper = nested("(", "1", ")", LIMIT_TEMPLATE_PARENTHESES + 1);
    struct buf source;

    (void)state;
    buf_init(&source, MIB(1));
    buf_addf(&source, "{{%s}}", deep);
    accepted(source.data);
    buf_reset(&source);
    buf_addf(&source, "{{%s}}", deeper);
    refused(source.data, "template: t:1: max expression depth exceeded");
    buf_done(&source);
}

static void control_structures_nest_as_deep_as_a_source_is_long(void **state)
{
    _cleanup_free_ char *deep = nested("{{if 1}}", "x", "{{end}}", 60000);

    (void)state;
    accepted(deep);
}

static void a_source_longer_than_its_maximum_is_refused(void **state)
{
    _cleanup_free_ char *source = nested("x", "", "", LIMIT_TEMPLATE_BYTES + 1);
    struct err err = {0};

    (void)state;
    assert_int_equal(parse_with(source, LIMIT_TEMPLATE_BYTES, NULL, &err), 0);
    assert_int_equal(parse_with(source, LIMIT_TEMPLATE_BYTES + 1, NULL, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void there_are_only_so_many_variables(void **state)
{
    _cleanup_free_ char *most = nested("{{$x := 1}}", "", "", LIMIT_TEMPLATE_VARIABLES - 1);
    _cleanup_free_ char *more = nested("{{$x := 1}}", "", "", LIMIT_TEMPLATE_VARIABLES);
    struct err err = {0};

    (void)state;
    accepted(most);
    assert_int_equal(parse_with(more, strlen(more), NULL, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void there_are_only_so_many_definitions(void **state)
{
    struct err err = {0};
    struct buf source;

    (void)state;
    buf_init(&source, MIB(1));
    for (unsigned i = 0; i <= LIMIT_TEMPLATE_UNITS; i++)
        buf_addf(&source, "{{template \"%u\"}}", i);
    assert_int_equal(parse_with(source.data, source.len, NULL, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    buf_done(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_is_accepted),
        cmocka_unit_test(the_line_is_that_of_the_newest_token),
        cmocka_unit_test(an_error_on_a_later_line_names_where_its_action_began),
        cmocka_unit_test(names_are_checked_before_anything_runs),
        cmocka_unit_test(empty_pipelines_say_what_they_are_for),
        cmocka_unit_test(only_a_range_declares_two_variables),
        cmocka_unit_test(break_and_continue_stay_in_their_loop),
        cmocka_unit_test(only_an_empty_definition_may_be_replaced),
        cmocka_unit_test(stages_of_a_pipeline_must_be_commands),
        cmocka_unit_test(literals_are_checked),
        cmocka_unit_test(parentheses_nest_ten_thousand_deep_and_no_deeper),
        cmocka_unit_test(control_structures_nest_as_deep_as_a_source_is_long),
        cmocka_unit_test(a_source_longer_than_its_maximum_is_refused),
        cmocka_unit_test(there_are_only_so_many_variables),
        cmocka_unit_test(there_are_only_so_many_definitions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
