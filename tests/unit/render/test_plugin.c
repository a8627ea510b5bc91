#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "render/plugin.h"

static struct err err;
static struct loop *loop;

static void on_end(void *ctx)
{
    (void)ctx;
    loop_stop(loop);
}

static int find(struct plugin_list *list, const char *line, const struct buf **ret)
{
    const struct val args[] = {val_cstr("-c"), val_cstr(line)};

    return plugin_find(list, STR("sh"), args, 2, true, ret, &err);
}

static void answer_is_there_after_one_run(void **state)
{
    static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
    struct launcher *launcher = launcher_new();
    struct plugin_list list = {0};
    const struct buf *output;

    (void)state;
    launcher_allow(launcher, environment);
    assert_int_equal(launcher_start(launcher, NULL, &err), 0);
    loop = loop_new(&err);
    assert_int_equal(launcher_attach(launcher, loop, &err), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(find(&list, "echo ' x y '", &output), 0);
        assert_null(output);
    }
    assert_int_equal(list.len, 1);
    plugin_start(&list, loop, launcher, on_end, NULL);
    assert_true(plugin_pending(&list));
    assert_int_equal(loop_run(loop, &err), 0);
    assert_false(plugin_pending(&list));
    assert_int_equal(find(&list, "echo ' x y '", &output), 0);
    assert_string_equal(output->data, "x y");
    plugin_clear(&list);
    assert_int_equal(find(&list, "echo ' x y '", &output), 0);
    assert_null(output);
    plugin_clear(&list);
    launcher_free(launcher);
    loop_free(loop);
}

static void runs_with_other_arguments_are_other_runs_up_to_a_limit(void **state)
{
    struct plugin_list list = {0};
    const struct buf *output;
    char line[16];

    (void)state;
    for (int i = 0; i < LIMIT_TEMPLATE_PLUGINS; i++) {
        snprintf(line, sizeof(line), "%d", i);
        assert_int_equal(find(&list, line, &output), 0);
    }
    assert_int_equal(find(&list, "one more", &output), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(find(&list, "0", &output), 0);
    plugin_clear(&list);
}

static void byte_zero_in_an_argument_is_refused(void **state)
{
    const struct val bad = val_str("a\0b", 3);
    struct plugin_list list = {0};
    const struct buf *output;

    (void)state;
    assert_int_equal(plugin_find(&list, STR("sh"), &bad, 1, true, &output, &err), -1);
    assert_int_equal(list.len, 0);
}

static const struct buf *output_of(struct plugin_list *list, struct launcher *launcher, const char *line, int *ret)
{
    const struct buf *output = NULL;

    assert_int_equal(find(list, line, &output), 0);
    plugin_start(list, loop, launcher, on_end, NULL);
    assert_int_equal(loop_run(loop, &err), 0);
    *ret = find(list, line, &output);
    return output;
}

static void what_a_plugin_prints_is_bounded(void **state)
{
    static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
    struct launcher *launcher = launcher_new();
    struct plugin_list list = {0};
    const struct buf *output;
    char most[64], more[64], says[80];
    int result;

    (void)state;
    snprintf(most, sizeof(most), "head -c %zu /dev/zero", LIMIT_PLUGIN_BYTES);
    snprintf(more, sizeof(more), "head -c %zu /dev/zero", LIMIT_PLUGIN_BYTES + 1);
    snprintf(says, sizeof(says), "exec \"sh\": printed more than %zu bytes", LIMIT_PLUGIN_BYTES);
    launcher_allow(launcher, environment);
    assert_int_equal(launcher_start(launcher, NULL, &err), 0);
    loop = loop_new(&err);
    assert_int_equal(launcher_attach(launcher, loop, &err), 0);
    output = output_of(&list, launcher, most, &result);
    assert_int_equal(result, 0);
    assert_int_equal(output->len, LIMIT_PLUGIN_BYTES);
    output_of(&list, launcher, more, &result);
    assert_int_equal(result, -1);
    assert_string_equal(err.text, says);
    plugin_clear(&list);
    launcher_free(launcher);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_is_there_after_one_run),
        cmocka_unit_test(runs_with_other_arguments_are_other_runs_up_to_a_limit),
        cmocka_unit_test(byte_zero_in_an_argument_is_refused),
        cmocka_unit_test(what_a_plugin_prints_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
