#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "config/problem.h"

static void problem_prints_file_place_severity_path_and_text(void **state)
{
    _cleanup_problems_ struct problems problems;
    _cleanup_buf_ struct buf buf;

    (void)state;
    problems_init(&problems);
    buf_init(&buf, KIB(4));
    problems_add(&problems, PROBLEM_ERROR, "a.hcl", (struct val_place){3, 7}, "template[0].perms", "must be %s", "bits");
    problems_add(&problems, PROBLEM_WARNING, "", (struct val_place){0, 0}, "", "one\nline");
    problem_write(&problems.items[0], &buf);
    assert_string_equal(buf.data, "a.hcl:3:7: error: template[0].perms: must be bits");
    buf_reset(&buf);
    problem_write(&problems.items[1], &buf);
    assert_string_equal(buf.data, "warning: one?line");
}

static void problems_count_by_severity(void **state)
{
    _cleanup_problems_ struct problems problems;

    (void)state;
    problems_init(&problems);
    problems_add(&problems, PROBLEM_WARNING, "", (struct val_place){0, 0}, "", "w");
    problems_add(&problems, PROBLEM_UNUSABLE, "", (struct val_place){0, 0}, "", "u");
    problems_add(&problems, PROBLEM_ERROR, "", (struct val_place){0, 0}, "", "e");
    assert_int_equal(problems.len, 3);
    assert_int_equal(problems.errors, 1);
    assert_int_equal(problems.unusable, 2);
}

static void problems_are_bounded_and_say_so(void **state)
{
    _cleanup_problems_ struct problems problems;

    (void)state;
    problems_init(&problems);
    for (int i = 0; i < LIMIT_PROBLEMS + 50; i++)
        problems_add(&problems, PROBLEM_ERROR, "f", (struct val_place){1, 1}, "p", "%d", i);
    assert_int_equal(problems.len, LIMIT_PROBLEMS + 1);
    assert_int_equal(problems.errors, LIMIT_PROBLEMS + 50);
    assert_string_equal(problems.items[LIMIT_PROBLEMS].text, "there are more problems than these");
}

/* The longest names of files with the longest texts: what does not fit is only counted. */
static void texts_of_problems_are_bounded(void **state)
{
    _cleanup_problems_ struct problems problems;
    char *name = mem_alloc(KIB(16));

    (void)state;
    memset(name, 'a', KIB(16) - 1);
    problems_init(&problems);
    for (int i = 0; i < LIMIT_PROBLEMS; i++)
        problems_add(&problems, PROBLEM_ERROR, name, (struct val_place){1, 1}, "p", "%s", name);
    assert_int_equal(problems.errors, LIMIT_PROBLEMS);
    assert_true(problems.arena.used <= LIMIT_PROBLEMS_BYTES && problems.arena.used > LIMIT_PROBLEMS_BYTES - KIB(17));
    assert_string_equal(problems.items[0].file, name);
    assert_string_equal(problems.items[problems.len - 1].file, name);
    mem_free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(problem_prints_file_place_severity_path_and_text),
        cmocka_unit_test(problems_count_by_severity),
        cmocka_unit_test(problems_are_bounded_and_say_so),
        cmocka_unit_test(texts_of_problems_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
