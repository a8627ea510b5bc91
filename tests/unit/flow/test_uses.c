#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "flow/uses.h"

static struct uses uses;
static struct one_template ones[3];

static struct dep *dep_of(const char *path)
{
    struct dep *dep;
    struct err err;

    assert_int_equal(dep_new(DEP_READ, str_of(path), NULL, 0, NULL, &dep, &err), 0);
    return dep;
}

/* An evaluation that used these secrets (a character each) and read these files. */
static void evaluate(struct one_template *one, const char *secrets, const char *files)
{
    struct outcome *outcome = &one->outcome;

    dep_list_clear(&outcome->used);
    text_list_clear(&outcome->files);
    for (const char *c = secrets; *c; c++) {
        struct dep *dep = dep_of((char[]){*c, '\0'});

        dep_list_add(&outcome->used, dep);
        dep_unref(dep);
    }
    for (const char *c = files; *c; c++)
        text_list_add(&outcome->files, (char[]){*c, '\0'});
    uses_note(&uses, one);
}

/* Who uses it, as a sum of 1, 2 and 4. */
static unsigned sum(const struct users *users)
{
    unsigned all = 0;

    for (size_t i = 0; users && i < users->len; i++) {
        unsigned bit = 1U << (users->items[i] - ones);

        assert_false(all & bit);
        all |= bit;
    }
    return all;
}

static unsigned of_dep(const char *path)
{
    struct dep *dep = dep_of(path);
    unsigned all = sum(uses_of_dep(&uses, dep));

    dep_unref(dep);
    return all;
}

static void users_are_found_from_secret_and_file(void **state)
{
    (void)state;
    evaluate(&ones[0], "ab", "x");
    evaluate(&ones[1], "bc", "");
    evaluate(&ones[2], "", "xy");
    assert_int_equal(of_dep("a"), 1);
    assert_int_equal(of_dep("b"), 3);
    assert_int_equal(of_dep("c"), 2);
    assert_int_equal(of_dep("d"), 0);
    assert_int_equal(sum(uses_of_file(&uses, "x")), 5);
    assert_int_equal(sum(uses_of_file(&uses, "y")), 4);
    assert_null(uses_of_file(&uses, "z"));
}

static void the_newest_evaluation_counts(void **state)
{
    (void)state;
    evaluate(&ones[0], "ab", "xy");
    evaluate(&ones[0], "ba", "yx");
    assert_int_equal(of_dep("a"), 1);
    evaluate(&ones[0], "cb", "z");
    assert_int_equal(of_dep("a"), 0);
    assert_int_equal(of_dep("b") + of_dep("c"), 2);
    assert_null(uses_of_file(&uses, "x"));
    assert_int_equal(sum(uses_of_file(&uses, "z")), 1);
    evaluate(&ones[0], "", "");
    assert_int_equal(uses.deps.len + uses.files.len, 0);
}

static void who_is_gone_uses_nothing(void **state)
{
    (void)state;
    evaluate(&ones[0], "abcdefghijklmnop", "xyz");
    evaluate(&ones[1], "b", "x");
    uses_forget(&uses, &ones[0]);
    assert_int_equal(of_dep("a"), 0);
    assert_int_equal(of_dep("b"), 2);
    assert_int_equal(sum(uses_of_file(&uses, "x")), 2);
    assert_int_equal(uses.deps.len, 1);
    assert_int_equal(uses.files.len, 1);
}

static int clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ones); i++) {
        uses_forget(&uses, &ones[i]);
        dep_list_clear(&ones[i].outcome.used);
        dep_list_clear(&ones[i].uses);
        text_list_clear(&ones[i].outcome.files);
        text_list_clear(&ones[i].files);
    }
    uses_done(&uses);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(users_are_found_from_secret_and_file, clean),
        cmocka_unit_test_teardown(the_newest_evaluation_counts, clean),
        cmocka_unit_test_teardown(who_is_gone_uses_nothing, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
