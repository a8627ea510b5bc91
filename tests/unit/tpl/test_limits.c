/* Templates that try to take the machine: each ends soon, with an error that says which limit it met. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "base/limits.h"
#include "fn/functions.h"
#include "tpl/tpl.h"

/* Much more than any takes, for builds with sanitizers on machines that are busy. */
#define PATIENCE_S 20

/* A limit as texts show it. */
#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)
#define STEPS      "more than " TEXT(LIMIT_TEMPLATE_STEPS) " steps"
#define KEYS       "a map of more than " TEXT(LIMIT_TEMPLATE_KEYS) " keys"

struct bomb {
    const char *source, *says;
};

static void render(const char *source, struct err *err)
{
    const struct tpl_options options = {.name = "t", .functions = &functions_all};
    const struct tpl_env env = {0};
    const struct val nothing = {0};
    _cleanup_tpl_ struct tpl *tpl = NULL;
    _cleanup_buf_ struct buf out;

    buf_init(&out, LIMIT_OUTPUT_BYTES);
    if (tpl_parse(source, strlen(source), &options, &tpl, err) == 0 && tpl_execute(tpl, &nothing, &env, &out, err) == 0)
        fail_msg("%s: no limit was met", source);
}

static void all_end(const struct bomb *bombs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct err err = {0};
        clock_t begun = clock();

        render(bombs[i].source, &err);
        if (!strstr(err.text, bombs[i].says))
            fail_msg("%s: %s", bombs[i].source, err.text);
        if (clock() - begun > PATIENCE_S * CLOCKS_PER_SEC)
            fail_msg("%s: took too long", bombs[i].source);
    }
}

#define WIDE(x) "{{$x := sprig_list " x "}}{{range 40}}{{$x = sprig_list $x $x}}{{end}}"
#define DEEP    "{{$x := sprig_list 1}}{{range 5000}}{{$x = sprig_list $x}}{{end}}"
#define LONG    "{{$x := sprig_repeat 10000000 \"a\"}}"

static void loops_run_out_of_steps(void **state)
{
    static const struct bomb bombs[] = {
        {"{{range 1000000000}}{{end}}", STEPS},
        {"{{range loop 9000000000000000000}}{{end}}", STEPS},
        {"{{range 100000}}{{range 100000}}{{end}}{{end}}", STEPS},
        {"{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}",
         "exceeded maximum template depth (" TEXT(LIMIT_TEMPLATE_DEPTH) ")"},
        {"{{define \"a\"}}{{executeTemplate \"a\"}}{{end}}{{template \"a\"}}",
         "more than " TEXT(LIMIT_TEMPLATE_INNER) " templates run one in another"},
        {"{{define \"a\"}}{{if lt (len .) 60}}{{$x := print . \"x\"}}{{template \"a\" $x}}{{template \"a\" $x}}{{end}}{{end}}{{template \"a\" \"\"}}",
         STEPS},
    };

    (void)state;
    all_end(bombs, ARRAY_LEN(bombs));
}

static void output_and_texts_end_at_their_maximum(void **state)
{
    static const struct bomb bombs[] = {
        {"{{range 1000000000}}xxxxxxxxxxxxxxxx{{end}}", "template output: more than 16777216 bytes"},
        {"{{sprig_repeat 2000000000 \"aaaaaaaa\"}}", "sprig_repeat: more than 16777216 bytes"},
        {"{{$x := \"a\"}}{{range 1000}}{{$x = replaceAll \"a\" \"aa\" $x}}{{end}}", "replaceAll: more than 16777216 bytes"},
        {"{{$x := \"a\"}}{{range 1000}}{{$x = printf \"%s%s\" $x $x}}{{end}}", "printf: more than 16777216 bytes"},
        {"{{$x := \"a\"}}{{range 1000}}{{$x = regexReplaceAll \"\" $x $x}}{{end}}", "regexReplaceAll: more than 16777216 bytes"},
        {"{{$x := \"\\\"\"}}{{range 1000}}{{$x = toJSON $x}}{{end}}", "more than 16777216 bytes"},
        {"{{$x := \"<\"}}{{range 1000}}{{$x = js $x}}{{end}}", "js: more than 16777216 bytes"},
        {"{{indent 2000000000 \"a\"}}", "indent: more than 16777216 bytes"},
        {"{{$s := sprig_repeat 1000000 \"a,\"}}{{join $s (split \",\" $s)}}", "join: more than 16777216 bytes"},
        {"{{range 1000000}}{{printf \"%999999d\" 1}}{{end}}", "template output: more than 16777216 bytes"},
        {"{{parseInt (sprig_repeat 8000000 \"<\\\"\")}}", "parsing \"<\\\"<\\\"<"}, /* an error's text is cut */
    };

    (void)state;
    all_end(bombs, ARRAY_LEN(bombs));
}

static void memory_ends(void **state)
{
    static const struct bomb bombs[] = {
        {"{{range 100000}}{{$x := sprig_repeat 10000000 \"a\"}}{{end}}", "more than 67108864 bytes of memory"},
        {"{{range 1000000}}{{$x := printf \"%*d\" 999999 1}}{{end}}", "more than 67108864 bytes of memory"},
        {"{{$x := sprig_list 1}}{{range 100}}{{$x = sprig_concat $x $x}}{{end}}", "more than 67108864 bytes of memory"},
        {"{{sprig_until 2000000000}}", "more than " TEXT(LIMIT_SEQUENCE) " numbers"},
        {LONG "{{range 100}}{{$y := split \"\" $x}}{{end}}", "more than 67108864 bytes of memory"},
        {"{{range $i := loop 100000}}{{scratch.MapSet \"m\" (print $i) $i}}{{end}}", KEYS},
        {"{{$d := sprig_dict}}{{range $i := loop 100000}}{{$_ := sprig_set $d (print $i) $i}}{{end}}", KEYS},
    };

    (void)state;
    all_end(bombs, ARRAY_LEN(bombs));
}

static void values_that_share_their_parts_are_not_walked_without_end(void **state)
{
    static const struct bomb bombs[] = {
        {WIDE("\"aaaa\"") "{{toJSON $x}}", "more than 16777216 bytes"},
        {WIDE("\"aaaa\"") "{{toYAML $x}}", "more than 16777216 bytes"},
        {WIDE("\"aaaa\"") "{{toTOML $x}}", "toTOML: more than 20000000 values"},
        {WIDE("\"aaaa\"") "{{print $x}}", "print: more than 16777216 bytes"},
        {WIDE("\"aaaa\"") "{{$y := sprig_deepCopy $x}}", "more than 67108864 bytes of memory"},
        {WIDE("1") "{{$y := sprig_list 1}}{{range 40}}{{$y = sprig_list $y $y}}{{end}}{{sprig_deepEqual $x $y}}", STEPS},
        {WIDE("1") "{{$y := sprig_list 1}}{{range 40}}{{$y = sprig_list $y $y}}{{end}}{{sprig_has $x (sprig_list $y)}}", STEPS},
        {DEEP "{{toJSON $x}}", "nested deeper than"},
        {DEEP "{{toYAML $x}}", "nested deeper than"},
    };

    (void)state;
    all_end(bombs, ARRAY_LEN(bombs));
}

#define MANY                                                                                                                                                                                                                                                                   \
    "{{$b := 1}}{{$c := 1}}{{$d := 1}}{{$e := 1}}{{$f := 1}}{{$g := 1}}{{$h := 1}}{{$i := 1}}{{$j := 1}}{{$k := 1}}{{$l := 1}}{{$m := 1}}{{$n := 1}}{{$o := 1}}{{$p := 1}}{{$q := 1}}{{$r := 1}}{{$s := 1}}{{$t := 1}}{{$u := 1}}{{$v := 1}}{{$w := 1}}{{$x := 1}}{{$y := 1}}" \
    "{{$bb := 1}}{{$cc := 1}}{{$dd := 1}}{{$ee := 1}}{{$ff := 1}}{{$gg := 1}}{{$hh := 1}}{{$ii := 1}}{{$jj := 1}}{{$kk := 1}}{{$ll := 1}}{{$mm := 1}}{{$nn := 1}}{{$oo := 1}}{{$pp := 1}}{{$qq := 1}}{{$rr := 1}}{{$ss := 1}}{{$tt := 1}}{{$uu := 1}}{{$vv := 1}}{{$ww := 1}}{{$xx := 1}}{{$yy := 1}}{{$zz := 1}}"

static void the_stack_of_template_calls_ends(void **state)
{
    char says[80];
    const struct bomb bomb = {"{{define \"a\"}}" MANY "{{template \"a\"}}{{end}}{{template \"a\"}}", says};

    (void)state;
    snprintf(says, sizeof(says), "more than %zu bytes of stack", LIMIT_TEMPLATE_STACK_BYTES);
    all_end(&bomb, 1);
}

static void work_on_long_arguments_counts(void **state)
{
    static const struct bomb bombs[] = {
        {LONG "{{range 1000000}}{{$y := sha256Hex $x}}{{end}}", STEPS},
        {LONG "{{range 1000000}}{{if contains \"ab\" $x}}{{end}}{{end}}", STEPS},
        {LONG "{{regexMatch \"(a*)*(a*)*(a*)*b\" $x}}", "more than " TEXT(LIMIT_REGEX_STEPS) " steps on this text"},
        {"{{$x := sprig_repeat 100000 \"a\"}}{{range 100000}}{{$y := regexMatch \"(a|b|c|d|e)*z\" $x}}{{end}}", STEPS},
        {"{{range 10000000}}{{$y := regexMatch \"((a{10}){10}){10}\" \"\"}}{{end}}", STEPS},
        {LONG "{{$y := sprig_shuffle $x}}", STEPS},
        {"{{$y := sprig_uniq (sprig_until 100000)}}", STEPS},
        {"{{$l := sprig_until 1000000}}{{range 1000000}}{{if in $l \"x\"}}{{end}}{{end}}", STEPS},
    };

    (void)state;
    all_end(bombs, ARRAY_LEN(bombs));
}

/* What used to be cheaper than it is: printing, chains, patterns and versions that are read each time, moves within large maps.
 */
static void calls_are_paid_for_by_what_they_take(void **state)
{
    static const struct bomb bombs[] = {
        {"{{range 1000000000}}{{1.5}}{{end}}", STEPS},
        {"{{$d := sprig_dict}}{{$_ := sprig_set $d \"a\" $d}}{{range 1000000000}}{{if $d.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a}}{{end}}{{end}}",
         STEPS},
        {"{{range 1000000000}}{{$x := regexMatch \"(?i)\\\\pL\" \"\"}}{{end}}", STEPS},
        {"{{range 1000000000}}{{$x := sprig_semverCompare \"^1.2.3 || >2\" \"1.2.3\"}}{{end}}", STEPS},
        {"{{range 1000000000}}{{$x := sha256Hex \"\"}}{{end}}", "more than "},
        {"{{range 1000000000}}{{$d := sprig_dict}}{{range $i := loop 16000}}{{$_ := sprig_set $d (printf \"%05d\" (subtract $i 20000)) $i}}{{end}}{{end}}",
         STEPS},
    };

    (void)state;
    all_end(bombs, ARRAY_LEN(bombs));
}

static void what_ended_a_template_is_told_with_its_place(void **state)
{
    struct err err = {0};

    (void)state;
    render("{{range 100000}}{{$x := sprig_repeat 10000000 \"a\"}}{{end}}", &err);
    assert_string_equal(
        err.text,
        "template: t:1:24: executing \"t\" at <sprig_repeat 10000000 \"a\">: error calling sprig_repeat: temporary values: more than 67108864 bytes of memory");
}

/* Thousands of rows with what users do in each stay far below. */
static void ordinary_templates_meet_no_limit(void **state)
{
    static const char source[] =
        "{{range $i := loop 20000}}{{$k := printf \"key-%05d\" $i}}{{$k | toUpper | replaceAll \"-\" \"_\"}}={{regexReplaceAll \"[^a-z]+\" \"-\" $k}}"
        " {{sprig_b64enc $k | sprig_quote}}{{if and (gt $i 5) (contains \"7\" $k)}} {{sha256Hex $k}}{{end}}\n{{end}}";
    const struct tpl_options options = {.name = "t", .functions = &functions_all};
    const struct tpl_env env = {0};
    const struct val nothing = {0};
    _cleanup_tpl_ struct tpl *tpl = NULL;
    _cleanup_buf_ struct buf out;
    struct err err = {0};

    (void)state;
    buf_init(&out, LIMIT_OUTPUT_BYTES);
    assert_int_equal(tpl_parse(source, strlen(source), &options, &tpl, &err), 0);
    if (tpl_execute(tpl, &nothing, &env, &out, &err) != 0)
        fail_msg("%s", err.text);
}

static void documents_that_unfold_are_refused(void **state)
{
    static const struct bomb bombs[] = {
        {"{{parseYAML \"a: &a [x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\\nd: &d "
         "[*c,*c,*c,*c,*c,*c,*c,*c,*c]\\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\"}}",
         "yaml: document contains excessive aliasing"},
        {"{{parseYAML (sprig_repeat 100000 \"[\")}}", "max depth"},
        {"{{parseJSON (sprig_repeat 100000 \"[\")}}", "depth"},
    };

    (void)state;
    all_end(bombs, ARRAY_LEN(bombs));
}

/* The shortest actions take the most: a whole source of nothing else. */
static void code_ends(void **state)
{
    static const char action[] = "{{1}}";
    _cleanup_buf_ struct buf source;
    char says[80];
    struct bomb bomb = {.says = says};

    (void)state;
    buf_init(&source, LIMIT_TEMPLATE_BYTES);
    while (source.len + strlen(action) <= LIMIT_TEMPLATE_BYTES)
        buf_adds(&source, action);
    snprintf(says, sizeof(says), "template: more than %zu bytes of memory", LIMIT_TEMPLATE_CODE_BYTES);
    bomb.source = source.data;
    all_end(&bomb, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_run_out_of_steps),
        cmocka_unit_test(output_and_texts_end_at_their_maximum),
        cmocka_unit_test(memory_ends),
        cmocka_unit_test(values_that_share_their_parts_are_not_walked_without_end),
        cmocka_unit_test(the_stack_of_template_calls_ends),
        cmocka_unit_test(work_on_long_arguments_counts),
        cmocka_unit_test(calls_are_paid_for_by_what_they_take),
        cmocka_unit_test(what_ended_a_template_is_told_with_its_place),
        cmocka_unit_test(ordinary_templates_meet_no_limit),
        cmocka_unit_test(documents_that_unfold_are_refused),
        cmocka_unit_test(code_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
