#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include "base/limits.h"
#include "fn/functions.h"
#include "render/fn_vault.h"

static struct err err;

/* `file` of FOLDER/f, of so many bytes. */
static int read_file(const struct tpl *source, const char *sandbox, size_t bytes, struct arena *arena, struct val *ret)
{
    const struct config config = {.template_count = 0};
    const struct config_template template = {.sandbox_path = sandbox};
    struct store *store = store_new();
    struct tpl_env env = {0};
    struct fn_vault fn;
    struct outcome outcome;
    int failed;

    put_file(in_folder("f"), "");
    assert_int_equal(truncate(in_folder("f"), (off_t)bytes), 0);
    fn_vault_init(&fn, &config, &template, store);
    fn.tpl = source;
    outcome_init(&outcome);
    fn_vault_env(&fn, &outcome, &env);
    failed = env.file(env.ctx, str_of(in_folder("f")), arena, ret, &err);
    outcome_done(&outcome);
    store_free(store);
    return failed;
}

/* A template in which this text stands. */
static struct tpl *names(const char *text)
{
    struct tpl *tpl;

    assert_int_equal(tpl_parse(text, strlen(text), &(struct tpl_options){.name = "", .functions = &functions_all}, &tpl, &err),
                     0);
    return tpl;
}

static void a_path_that_is_not_written_in_the_template_is_not_shown(void **state)
{
    const char *const sandboxes[] = {"", folder, "/nowhere"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sandboxes); i++) {
        _cleanup_arena_ struct arena arena;
        struct val text;

        arena_init(&arena, LIMIT_TEMPLATE_MEMORY, "test");
        assert_int_equal(read_file(NULL, sandboxes[i], LIMIT_TEMPLATE_FILE_BYTES + 1, &arena, &text), -1);
        assert_null(strstr(err.text, in_folder("f")));
        assert_non_null(strstr(err.text, "a path that the template puts together"));
    }
}

static void a_file_that_a_template_reads_is_bounded(void **state)
{
    const char *const sandboxes[] = {"", folder};
    _cleanup_tpl_ struct tpl *source = names(in_folder("f"));
    char says[600];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sandboxes); i++) {
        _cleanup_arena_ struct arena arena;
        struct val text;

        arena_init(&arena, LIMIT_TEMPLATE_MEMORY, "test");
        assert_int_equal(read_file(source, sandboxes[i], LIMIT_TEMPLATE_FILE_BYTES, &arena, &text), 0);
        assert_int_equal(text.s.len, LIMIT_TEMPLATE_FILE_BYTES);
        assert_int_equal(read_file(source, sandboxes[i], LIMIT_TEMPLATE_FILE_BYTES + 1, &arena, &text), -1);
        assert_int_equal(err.code, ERR_LIMIT);
        snprintf(says, sizeof(says), "\": larger than %zu bytes", LIMIT_TEMPLATE_FILE_BYTES);
        assert_non_null(strstr(err.text, says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_that_is_not_written_in_the_template_is_not_shown),
        cmocka_unit_test(a_file_that_a_template_reads_is_bounded),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
