#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include "base/limits.h"
#include "tools/offline.h"

static struct err err;

static const char *file_of(size_t bytes)
{
    put_file(in_folder("f"), "");
    assert_int_equal(truncate(in_folder("f"), (off_t)bytes), 0);
    return in_folder("f");
}

static void a_file_of_exactly_the_most_is_read(void **state)
{
    _cleanup_buf_ struct buf text = {0};

    (void)state;
    assert_int_equal(offline_read(file_of(5000), 5000, &text, &err), 0);
    assert_int_equal(text.len, 5000);
}

static void a_pipe_that_gives_more_is_refused(void **state)
{
    _cleanup_buf_ struct buf text = {0};
    int ends[2];
    char path[32];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "0123456789", 10), 10);
    close(ends[1]);
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    assert_int_equal(offline_read(path, 9, &text, &err), -1);
    close(ends[0]);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void a_file_that_a_template_reads_is_bounded(void **state)
{
    struct offline offline = {.env_count = 0};
    struct tpl_env env = offline_env(&offline, 0);
    _cleanup_arena_ struct arena arena;
    struct val text;
    char says[600];

    (void)state;
    arena_init(&arena, LIMIT_TEMPLATE_MEMORY, "test");
    assert_int_equal(env.file(env.ctx, str_of(file_of(LIMIT_TEMPLATE_FILE_BYTES)), &arena, &text, &err), 0);
    assert_int_equal(text.s.len, LIMIT_TEMPLATE_FILE_BYTES);
    assert_int_equal(env.file(env.ctx, str_of(file_of(LIMIT_TEMPLATE_FILE_BYTES + 1)), &arena, &text, &err), -1);
    snprintf(says, sizeof(says), "%s: more than %zu bytes", in_folder("f"), LIMIT_TEMPLATE_FILE_BYTES);
    assert_string_equal(err.text, says);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_exactly_the_most_is_read),
        cmocka_unit_test(a_pipe_that_gives_more_is_refused),
        cmocka_unit_test(a_file_that_a_template_reads_is_bounded),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
