#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "render/outcome.h"

static struct outcome outcome;
static struct err err;

static int setup(void **state)
{
    (void)state;
    outcome_init(&outcome);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    outcome_done(&outcome);
    return 0;
}

static void use(struct dep_list *list, const char *path)
{
    struct dep *dep;

    assert_int_equal(dep_new(DEP_READ, str_of(path), NULL, 0, NULL, &dep, &err), 0);
    dep_list_add(list, dep);
    dep_unref(dep);
}

static void it_is_finished_when_nothing_had_to_be_left_out(void **state)
{
    (void)state;
    use(&outcome.used, "a");
    assert_true(outcome_finished(&outcome));
    outcome.plugin_held = true;
    assert_false(outcome_finished(&outcome));
    outcome_begin(&outcome);
    assert_true(outcome_finished(&outcome));
    use(&outcome.missing, "a");
    assert_false(outcome_finished(&outcome));
    outcome_begin(&outcome);
    use(&outcome.held, "a");
    assert_false(outcome_finished(&outcome));
}

/* What an evaluation that failed did not reach may still be wanted; it is let go when one ends well without it. */
static void after_a_failure_what_the_last_good_one_used_is_used(void **state)
{
    (void)state;
    use(&outcome.used, "a");
    use(&outcome.used, "b");
    outcome_begin(&outcome);
    use(&outcome.used, "a");
    outcome_failed(&outcome);
    assert_int_equal(outcome.used.len, 2);
    outcome_begin(&outcome); /* and fails again */
    outcome_failed(&outcome);
    assert_int_equal(outcome.used.len, 2);
    outcome_begin(&outcome);
    use(&outcome.used, "a");
    assert_int_equal(outcome.used.len, 1);
    outcome_begin(&outcome);
    outcome_failed(&outcome);
    assert_int_equal(outcome.used.len, 1);
}

static void bytes_are_wiped_and_what_was_used_stays(void **state)
{
    const struct tpl_file file = {.path = STR("/nowhere/a"), .user = STR(""), .group = STR(""), .content = STR("text")};

    (void)state;
    use(&outcome.used, "a");
    buf_adds(&outcome.output, "text");
    assert_int_equal(write_to_file_note(&outcome.to_write, &file, &err), 0);
    assert_int_equal(outcome_note_file(&outcome, "/read", &err), 0);
    outcome_wipe(&outcome);
    assert_true(outcome.output.len == 0 && outcome.to_write.len == 0);
    assert_true(outcome.used.len == 1 && text_list_has(&outcome.files, "/read"));
    buf_adds(&outcome.output, "again");
    assert_string_equal(outcome.output.data, "again");
    outcome_begin(&outcome);
    assert_true(outcome.output.len == 0 && !text_list_has(&outcome.files, "/read"));
}

/* LIMIT_TEMPLATE_FILES, each once. */
static void the_files_that_are_read_are_bounded(void **state)
{
    char name[32];

    (void)state;
    for (size_t i = 0; i < 2 * LIMIT_TEMPLATE_FILES; i++) {
        snprintf(name, sizeof(name), "/%zu", i / 2);
        assert_int_equal(outcome_note_file(&outcome, name, &err), 0);
    }
    assert_int_equal(outcome.files.len, LIMIT_TEMPLATE_FILES);
    assert_int_equal(outcome_note_file(&outcome, "/one more", &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_finished_when_nothing_had_to_be_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(after_a_failure_what_the_last_good_one_used_is_used, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_are_wiped_and_what_was_used_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(the_files_that_are_read_are_bounded, setup, teardown),
    };

    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
