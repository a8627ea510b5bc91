#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"
#include "fn/functions.h"
#include "fn/secret_record.h"
#include "go/channel.h"
#include "go/typed.h"
#include "tpl/func.h"
#include "tpl/tpl.h"

struct fixture {
    struct arena arena;
    struct val root;
    struct tpl_options options;
    struct tpl_env env;
};

static struct fixture with_data(const char *json)
{
    const struct json_options floats = {.flags = JSON_FLOATS};
    struct fixture fixture = {.options = {.name = "t", .functions = &functions_all}};
    struct err err;

    arena_init(&fixture.arena, MIB(16), "data");
    assert_int_equal(json_read(json, strlen(json), &floats, &fixture.arena, &fixture.root, &err), 0);
    return fixture;
}

static int execute(struct fixture *fixture, const char *source, struct buf *out, struct err *err)
{
    _cleanup_tpl_ struct tpl *tpl = NULL;

    if (tpl_parse(source, strlen(source), &fixture->options, &tpl, err) != 0)
        fail_msg("%s: %s", source, err->text);
    return tpl_execute(tpl, &fixture->root, &fixture->env, out, err);
}

static void prints(struct fixture *fixture, const char *source, const char *expected)
{
    _cleanup_buf_ struct buf out;
    struct err err = {0};

    buf_init(&out, KIB(64));
    if (execute(fixture, source, &out, &err) != 0)
        fail_msg("%s: %s", source, err.text);
    assert_string_equal(out.data, expected);
}

static void fails(struct fixture *fixture, const char *source, const char *message)
{
    _cleanup_buf_ struct buf out;
    struct err err = {0};

    buf_init(&out, KIB(64));
    buf_adds(&out, "kept");
    assert_int_equal(execute(fixture, source, &out, &err), -1);
    assert_string_equal(err.text, message);
    assert_string_equal(out.data, "kept");
}

#define EXPECT(check, json, source, expected)      \
    do {                                           \
        struct fixture fixture_ = with_data(json); \
                                                   \
        check(&fixture_, source, expected);        \
        arena_done(&fixture_.arena);               \
    } while (0)

#define PRINTS(json, source, expected) EXPECT(prints, json, source, expected)
#define FAILS(json, source, message)   EXPECT(fails, json, source, message)

static void values_print_from_where_they_lie(void **state)
{
    (void)state;
    PRINTS("{\"a\":{\"b\":\"x\"}}", "{{.a.b}}{{$.a.b}}{{with .a}}{{.b}}{{end}}", "xxx");
    PRINTS("null", "{{.}}{{.x.y}}", "<no value><no value>");
}

static void variables_end_with_their_control_structure(void **state)
{
    (void)state;
    PRINTS("null", "{{$x := 1}}{{if 1}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21");
    PRINTS("null", "{{$x := 1}}{{if 1}}{{$x = 2}}{{end}}{{$x}}", "2");
    PRINTS("[1,2]", "{{$x := 0}}{{range .}}{{$x = .}}{{end}}{{$x}}", "2");
    PRINTS("null", "{{print ($x := 5) $x}}{{$x}}", "5 55");
    PRINTS("null", "{{$ = 3}}{{$}}", "3");
}

static void a_name_known_to_the_parser_may_still_have_no_value(void **state)
{
    (void)state;
    FAILS("null", "{{$x = 1}}", "template: t:1:7: executing \"t\" at <1>: undefined variable: $x");
    FAILS("null", "{{if 0}}{{$x := 1}}{{else}}{{$x}}{{end}}",
          "template: t:1:29: executing \"t\" at <$x>: undefined variable: $x");
}

static void a_declaration_that_and_or_skip_did_not_happen(void **state)
{
    (void)state;
    PRINTS("null", "{{$y := 1}}{{and 0 ($y := 2)}}{{$y}}", "01");
    PRINTS("null", "{{$y := 1}}{{and 3 ($y := 2)}}{{$y}}", "22");
    PRINTS("null", "{{$y := 1}}{{and 0 ($y := 2)}}{{$y = 5}}{{$y}}", "05");
    FAILS("null", "{{and 0 ($y := 2)}}{{$y}}", "template: t:1:21: executing \"t\" at <$y>: undefined variable: $y");
}

static void loops_go_over_everything_that_go_can(void **state)
{
    (void)state;
    PRINTS("[\"a\",\"b\"]", "{{range .}}{{.}}{{end}} {{range $i, $x := .}}{{$i}}{{$x}}{{end}}", "ab 0a1b");
    PRINTS("{\"b\":1,\"a\":2}", "{{range $k, $v := .}}{{$k}}{{$v}}{{end}} {{range $v := .}}{{$v}}{{end}}", "a2b1 21");
    PRINTS("null", "{{range 3}}{{.}}{{end}}{{range 0}}x{{else}}E{{end}}{{range .}}x{{else}}E{{end}}", "012EE");
    FAILS("\"s\"", "{{range .}}{{end}}", "template: t:1:8: executing \"t\" at <.>: range can't iterate over s");
    FAILS("null", "{{range $a, $b := 3}}{{end}}",
          "template: t:1:18: executing \"t\" at <3>: can't use 3 to iterate over more than one variable");
}

static void loop_variables_hold_the_collection_in_the_else(void **state)
{
    (void)state;
    PRINTS("[]", "{{range $i, $x := .}}{{else}}{{$i}}{{$x}}{{end}}", "[][]");
}

static void break_in_an_else_ends_that_loop_but_continue_the_outer_turn(void **state)
{
    (void)state;
    PRINTS("null", "{{range 2}}{{range 0}}{{else}}a{{break}}b{{end}}c{{end}}", "acac");
    PRINTS("null", "{{range 2}}{{range 0}}{{else}}a{{continue}}b{{end}}c{{end}}", "aa");
    PRINTS("null", "{{range 4}}{{if eq . 1}}{{continue}}{{end}}{{if eq . 3}}{{break}}{{end}}{{.}}{{end}}", "02");
}

static int opaque_join(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                       struct err *err)
{
    (void)self;
    if (argc == 3)
        return err_set(err, ERR_INPUT, "three is too many");
    return val_copy_str(arena, argv[0].s.data, argv[0].s.len + (size_t)argv[1].i - 1, ret, err);
}

static const struct go_method opaque_methods[] = {{"Cut", "sii*", opaque_join}};
static const struct go_class opaque_class = {
    .base.name = "*t.Opaque", .pointer = true, .methods = opaque_methods, .method_count = 1};

static void methods_take_arguments_by_their_own_letters(void **state)
{
    struct val_pair pair = {VAL_KEY("o"), go_object((void *)(uintptr_t)&opaque_class, &opaque_class)};
    struct fixture fixture = with_data("null");

    (void)state;
    fixture.root = val_map(&pair, 1);
    prints(&fixture, "{{.o.Cut \"abc\" 1.0}}|{{1 | .o.Cut (print \"x\")}}|{{(.o).Cut \"abc\" 1 | len}}", "abc|x|3");
    fails(&fixture, "{{.o.Cut 1 1}}", "template: t:1:9: executing \"t\" at <1>: expected string; found 1");
    fails(&fixture, "{{.o.Cut .o 1}}",
          "template: t:1:9: executing \"t\" at <.o>: wrong type for value; expected string; got *t.Opaque");
    fails(&fixture, "{{.o.Cut}}",
          "template: t:1:4: executing \"t\" at <.o.Cut>: wrong number of args for Cut: want at least 2 got 0");
    fails(&fixture, "{{.o.Cut \"a\" 1 1}}", "template: t:1:4: executing \"t\" at <.o.Cut>: error calling Cut: three is too many");
    fails(&fixture, "{{.o.Nope 1}}",
          "template: t:1:4: executing \"t\" at <.o.Nope>: can't evaluate field Nope in type interface {}");
    prints(&fixture, "{{$x := .none}}{{$x.Cut 1 2}}", "<no value>");
    arena_done(&fixture.arena);
}

static void numbers_as_spelled_have_methods(void **state)
{
    struct val_pair pair = {VAL_KEY("n"), val_number("1.50", 4)};
    struct fixture fixture = with_data("null");

    (void)state;
    fixture.root = val_map(&pair, 1);
    prints(&fixture, "{{.n.String}} {{.n.Float64}} {{printf \"%T\" .n.Float64}}", "1.50 1.5 float64");
    fails(
        &fixture, "{{(.n).Int64}}",
        "template: t:1:6: executing \"t\" at <(.n).Int64>: error calling Int64: strconv.ParseInt: parsing \"1.50\": invalid syntax");
    fixture.env.redact = true;
    fails(&fixture, "{{.n.Int64}}", "template: t:1:4: executing \"t\" at <.n.Int64>: error calling Int64: [redacted]");
    arena_done(&fixture.arena);
}

static void no_value_reaches_an_error_of_the_agent(void **state)
{
    struct fixture fixture = with_data("{\"s\":\"hunter2\"}");

    (void)state;
    fixture.env.redact = true;
    fails(&fixture, "{{range .s}}{{end}}", "template: t:1:8: executing \"t\" at <.s>: range can't iterate over [redacted]");
    fails(&fixture, "{{.s | call}}",
          "template: t:1:7: executing \"t\" at <call>: error calling call: non-function [redacted] of type string");
    arena_done(&fixture.arena);
}

static void channels_are_drained_and_cannot_be_printed(void **state)
{
    struct channel channel = {5, 7};
    struct fixture fixture = with_data("null");

    (void)state;
    fixture.root = go_object(&channel, &go_class_channel);
    fails(&fixture, "{{.}}", "template: t:1:2: executing \"t\" at <{{.}}>: can't print {{.}} of type <-chan int64");
    prints(&fixture, "{{range $i, $v := .}}{{$i}}:{{$v}} {{end}}{{range .}}x{{else}}E{{end}}", "0:5 1:6 E");
    arena_done(&fixture.arena);
}

static void missing_keys_do_what_the_option_says(void **state)
{
    struct fixture fixture = with_data("{}");

    (void)state;
    prints(&fixture, "{{.a}}", "<no value>");
    fails(&fixture, "{{.a.b}}", "template: t:1:4: executing \"t\" at <.a.b>: nil pointer evaluating interface {}.b");
    fixture.options.missing = TPL_MISSING_INVALID;
    prints(&fixture, "{{.a.b}}", "<no value>");
    fixture.options.missing = TPL_MISSING_ERROR;
    fails(&fixture, "{{.a.b}}", "template: t:1:4: executing \"t\" at <.a.b>: map has no entry for key \"a\"");
    arena_done(&fixture.arena);
}

static void denied_functions_parse_and_fail(void **state)
{
    static const char *const denied[] = {"base64*", "pri?t", NULL};
    struct fixture fixture = with_data("null");

    (void)state;
    fixture.options.denied = denied;
    prints(&fixture, "{{if false}}{{base64Encode \"a\"}}{{end}}{{print \"b\"}}", "b");
    fails(&fixture, "{{base64Encode \"a\"}}",
          "template: t:1:2: executing \"t\" at <base64Encode \"a\">: error calling base64Encode: function is disabled");
    arena_done(&fixture.arena);
}

static void recursion_ends_at_gos_depth(void **state)
{
    struct fixture fixture = with_data("null");

    (void)state;
    fails(&fixture, "{{define \"a\"}}{{template \"a\" .}}{{end}}{{template \"a\"}}",
          "template: t:1:25: executing \"a\" at <{{template \"a\" .}}>: exceeded maximum template depth (100000)");
    arena_done(&fixture.arena);
}

static void frames_have_their_own_maximum(void **state)
{
    struct fixture fixture = with_data("null");
    struct buf source;

    (void)state;
    buf_init(&source, MIB(1));
    buf_adds(&source, "{{define \"a\"}}");
    for (int i = 0; i < 100; i++)
        buf_adds(&source, "{{$x := 1}}");
    buf_adds(&source, "{{template \"a\"}}{{end}}{{template \"a\"}}");
    fails(&fixture, source.data,
          "template: t:1:1125: executing \"a\" at <{{template \"a\"}}>: more than 67108864 bytes of stack");
    buf_done(&source);
    arena_done(&fixture.arena);
}

static void endless_loops_run_out_of_steps(void **state)
{
    struct fixture fixture = with_data("null");

    (void)state;
    fails(&fixture, "{{range 9000000000}}{{range 9000000000}}{{end}}{{end}}",
          "template: t:1:28: executing \"t\" at <9000000000>: more than 20000000 steps");
    arena_done(&fixture.arena);
}

static void the_output_has_a_maximum(void **state)
{
    struct fixture fixture = with_data("null");
    _cleanup_buf_ struct buf out;
    struct err err = {0};

    (void)state;
    buf_init(&out, 100);
    assert_int_equal(execute(&fixture, "{{range 1000}}0123456789{{end}}", &out, &err), -1);
    assert_string_equal(err.text, "template output: more than 100 bytes");
    assert_int_equal(err.code, ERR_LIMIT);
    arena_done(&fixture.arena);
}

static void a_template_runs_again_and_again(void **state)
{
    struct fixture fixture = with_data("{\"a\":[1,2]}");
    _cleanup_tpl_ struct tpl *tpl = NULL;
    _cleanup_buf_ struct buf out;
    struct err err = {0};

    (void)state;
    buf_init(&out, KIB(1));
    assert_int_equal(tpl_parse("{{range .a}}{{.}}{{end}}", 24, &fixture.options, &tpl, &err), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tpl_execute(tpl, &fixture.root, NULL, &out, &err), 0);
    assert_string_equal(out.data, "121212");
    arena_done(&fixture.arena);
}

static void a_reply_becomes_gos_struct(void **state)
{
    static const char reply[] =
        "{\"request_id\":\"r\",\"lease_duration\":60,\"data\":{\"k\":\"v\"},\"auth\":{\"policies\":[\"p\"]}}";
    struct fixture fixture = with_data("null");
    struct val v;
    struct err err;

    (void)state;
    assert_int_equal(json_read(reply, sizeof(reply) - 1, NULL, &fixture.arena, &v, &err), 0);
    assert_int_equal(secret_record(&v, &fixture.arena, &fixture.root, &err), 0);
    prints(&fixture,
           "{{.RequestID}}|{{.LeaseDuration}}|{{.Data.k}}|{{.Auth.Policies}}|{{.Renewable}}|{{.Warnings}}|{{.WrapInfo}}",
           "r|60|v|[p]|false|[]|<nil>");
    fails(&fixture, "{{.WrapInfo.Token}}",
          "template: t:1:11: executing \"t\" at <.WrapInfo.Token>: nil pointer evaluating *dependency.SecretWrapInfo.Token");
    fails(&fixture, "{{.WrapInfo.nope}}",
          "template: t:1:11: executing \"t\" at <.WrapInfo.nope>: can't evaluate field nope in type *dependency.SecretWrapInfo");
    fails(&fixture, "{{.RequestID 1}}",
          "template: t:1:2: executing \"t\" at <.RequestID>: RequestID has arguments but cannot be invoked as function");
    arena_done(&fixture.arena);
}

static void a_reply_of_unknown_members_is_data_itself(void **state)
{
    struct fixture fixture = with_data("{\"keys\":\"x\"}");
    struct err err;

    (void)state;
    assert_int_equal(secret_record(&fixture.root, &fixture.arena, &fixture.root, &err), 0);
    prints(&fixture, "{{.Data.keys}}", "x");
    arena_done(&fixture.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_print_from_where_they_lie),
        cmocka_unit_test(variables_end_with_their_control_structure),
        cmocka_unit_test(a_name_known_to_the_parser_may_still_have_no_value),
        cmocka_unit_test(a_declaration_that_and_or_skip_did_not_happen),
        cmocka_unit_test(loops_go_over_everything_that_go_can),
        cmocka_unit_test(loop_variables_hold_the_collection_in_the_else),
        cmocka_unit_test(break_in_an_else_ends_that_loop_but_continue_the_outer_turn),
        cmocka_unit_test(methods_take_arguments_by_their_own_letters),
        cmocka_unit_test(numbers_as_spelled_have_methods),
        cmocka_unit_test(no_value_reaches_an_error_of_the_agent),
        cmocka_unit_test(channels_are_drained_and_cannot_be_printed),
        cmocka_unit_test(missing_keys_do_what_the_option_says),
        cmocka_unit_test(denied_functions_parse_and_fail),
        cmocka_unit_test(recursion_ends_at_gos_depth),
        cmocka_unit_test(frames_have_their_own_maximum),
        cmocka_unit_test(endless_loops_run_out_of_steps),
        cmocka_unit_test(the_output_has_a_maximum),
        cmocka_unit_test(a_template_runs_again_and_again),
        cmocka_unit_test(a_reply_becomes_gos_struct),
        cmocka_unit_test(a_reply_of_unknown_members_is_data_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
