/*
 * Rows of tests/vectors/functions*.jsonl: a function, typed arguments, and its result under %#v, or its error, as Vault Agent's
 * engine gives them. FUNCTION_ROWS names another file of such rows.
 */
#include "support/go_args.h"

#include <glob.h>

#include "fn/functions.h"
#include "go/format.h"
#include "tpl/func.h"
#include "tpl/tpl.h"

static int on_secret(void *ctx, struct str path, const struct val *args, size_t argc, struct arena *arena, struct val *ret,
                     struct err *err)
{
    (void)ctx, (void)path, (void)args, (void)argc, (void)arena, (void)err;
    *ret = val_null();
    return 0;
}

static bool answers_as_go(struct arena *arena, const struct val *row, struct buf *got, struct str *want)
{
    struct tpl_env env = {.secret = on_secret, .pki_cert = on_secret};
    const struct func *func = functions_find(val_get(row, "function")->s);
    struct err err = {0};
    struct call call = {.name = func->name, .arena = arena, .env = &env, .err = &err};
    bool fails = val_get(row, "error") || val_get(row, "error_hex");
    struct val ret;

    val_get_int(row, "now_ms", &env.now_ms);
    call.argv = row_args(arena, row, read_arg, &call.argc);
    *want = row_text(arena, row, fails ? "error" : "want");
    if (func->body(&call, &ret) == 0)
        format_sprintf(got, STR("%#v"), &ret, 1);
    else
        buf_adds(got, err.text);
    return str_eq((struct str){got->data, got->len}, *want) && fails == (err.code != ERR_NONE);
}

static void every_row_answers_as_go_answers(void **state)
{
    glob_t files;

    (void)state;
    assert_int_equal(glob(TESTS_DIR "/vectors/functions*.jsonl", 0, NULL, &files), 0);
    for (size_t i = 0; i < (getenv("FUNCTION_ROWS") ? 1 : files.gl_pathc); i++)
        rows_run(files.gl_pathv[i], "FUNCTION_ROWS", answers_as_go);
    globfree(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_answers_as_go_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
