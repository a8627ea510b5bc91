#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "fn/functions.h"
#include "tools/cmd_functions.h"
#include "tools/example.h"
#include "tpl/func.h"
#include "tpl/tpl.h"

static struct err err;

static void run(const char *source, struct buf *out)
{
    const struct tpl_options options = {.name = "", .functions = &functions_all};
    const struct val root = val_null();
    const struct tpl_env env = {0};
    _cleanup_tpl_ struct tpl *tpl = NULL;

    if (tpl_parse(source, strlen(source), &options, &tpl, &err) != 0 || tpl_execute(tpl, &root, &env, out, &err) != 0)
        fail_msg("%s: %s", source, err.text);
}

static void every_example_gives_what_it_says(void **state)
{
    const struct example *rows;
    size_t count = example_list(&rows);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        _cleanup_buf_ struct buf out, source;

        if (!rows[i].gives)
            continue;
        buf_init(&out, LIMIT_OUTPUT_BYTES);
        buf_init(&source, LIMIT_TEMPLATE_BYTES);
        buf_addf(&source, strstr(rows[i].text, "{{") ? "%s" : "{{ %s }}", rows[i].text);
        run(source.data, &out);
        assert_string_equal(out.data, rows[i].gives);
    }
}

static void every_example_is_of_its_function_and_found(void **state)
{
    const struct example *rows;
    size_t count = example_list(&rows);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(example_find(rows[i].function), &rows[i]);
        assert_non_null(strstr(rows[i].text, rows[i].function));
        if (!functions_find(str_of(rows[i].function)))
            fail_msg("no function is named %s", rows[i].function);
    }
}

static int functions(const char *option, const char *name)
{
    char *argv[] = {(char *)"functions", (char *)option, (char *)name, NULL};

    return cmd_functions(name ? 3 : 2, argv);
}

static void unknown_names_and_options_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(functions("no-such-function", NULL), 1);
    assert_int_equal(functions("a", "b"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_gives_what_it_says),
        cmocka_unit_test(every_example_is_of_its_function_and_found),
        cmocka_unit_test(unknown_names_and_options_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
