/* Templates that try to take the machine: each ends soon, with an error that says which limit it met. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/limits.h"
#include "tpl/tpl.h"

/* Much more than any takes, for builds with sanitizers on machines that are busy. */
#define PATIENCE_S 20

struct bomb {
    const char *source, *says;
};

static void render(const char *source, struct err *err)
{
    const struct tpl_options options = {.name = "t"};
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
#define DEEP "{{$x := sprig_list 1}}{{range 5000}}{{$x = sprig_list $x}}{{end}}"
#define LONG "{{$x := sprig_repeat 10000000 \"a\"}}"

static void loops_run_out_of_steps(void **state)
{
    static const struct bomb bombs[] = {
        {"{{range 1000000000}}{{end}}", "more than 20000000 steps"},
        {"{{range loop 9000000000000000000}}{{end}}", "more than 20000000 steps"},
        {"{{range 100000}}{{range 100000}}{{end}}{{end}}", "more than 20000000 steps"},
        {"{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}", "exceeded maximum template depth (100000)"},
        {"{{define \"a\"}}{{executeTemplate \"a\"}}{{end}}{{template \"a\"}}", "more than 100 templates run one in another"},
        {"{{define \"a\"}}{{if lt (len .) 60}}{{$x := print . \"x\"}}{{template \"a\" $x}}{{template \"a\" $x}}{{end}}{{end}}{{template \"a\" \"\"}}",
         "more than 20000000 steps"},
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
        {"{{sprig_until 2000000000}}", "more than 1000000"},
        {LONG "{{range 100}}{{$y := split \"\" $x}}{{end}}", "more than 67108864 bytes of memory"},
        {"{{range $i := loop 100000}}{{scratch.MapSet \"m\" (print $i) $i}}{{end}}", "a map of more than 16384 keys"},
        {"{{$d := sprig_dict}}{{range $i := loop 100000}}{{$_ := sprig_set $d (print $i) $i}}{{end}}", "a map of more than 16384 keys"},
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
        {WIDE("1") "{{$y := sprig_list 1}}{{range 40}}{{$y = sprig_list $y $y}}{{end}}{{sprig_deepEqual $x $y}}", "more than 20000000 steps"},
        {WIDE("1") "{{$y := sprig_list 1}}{{range 40}}{{$y = sprig_list $y $y}}{{end}}{{sprig_has $x (sprig_list $y)}}", "more than 20000000 steps"},
        {DEEP "{{toJSON $x}}", "nested deeper than"},
        {DEEP "{{toYAML $x}}", "nested deeper than"},
    };

    (void)state;
    all_end(bombs, ARRAY_LEN(bombs));
}

static void work_on_long_arguments_counts(void **state)
{
    static const struct bomb bombs[] = {
        {LONG "{{range 1000000}}{{$y := sha256Hex $x}}{{end}}", "more than 20000000 steps"},
        {LONG "{{range 1000000}}{{if contains \"ab\" $x}}{{end}}{{end}}", "more than 20000000 steps"},
        {LONG "{{regexMatch \"(a*)*(a*)*(a*)*b\" $x}}", "more than 8000000 steps on this text"},
        {"{{$x := sprig_repeat 100000 \"a\"}}{{range 100000}}{{$y := regexMatch \"(a|b|c|d|e)*z\" $x}}{{end}}", "more than 20000000 steps"},
        {"{{range 10000000}}{{$y := regexMatch \"((a{10}){10}){10}\" \"\"}}{{end}}", "more than 20000000 steps"},
        {LONG "{{$y := sprig_shuffle $x}}", "more than 20000000 steps"},
        {"{{$y := sprig_uniq (sprig_until 100000)}}", "more than 20000000 steps"},
        {"{{$l := sprig_until 1000000}}{{range 1000000}}{{if in $l \"x\"}}{{end}}{{end}}", "more than 20000000 steps"},
    };

    (void)state;
    all_end(bombs, ARRAY_LEN(bombs));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_run_out_of_steps),
        cmocka_unit_test(output_and_texts_end_at_their_maximum),
        cmocka_unit_test(memory_ends),
        cmocka_unit_test(values_that_share_their_parts_are_not_walked_without_end),
        cmocka_unit_test(work_on_long_arguments_counts),
        cmocka_unit_test(documents_that_unfold_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
