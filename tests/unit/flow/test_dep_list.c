#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "flow/dep_list.h"

static struct dep *make(unsigned n)
{
    char path[32];
    struct dep *dep;
    struct err err;

    snprintf(path, sizeof(path), "secret/data/%u", n);
    assert_int_equal(dep_new(DEP_READ, str_of(path), NULL, 0, NULL, &dep, &err), 0);
    return dep;
}

static void each_stands_there_once_in_the_order_of_its_first_mention(void **state)
{
    struct dep_list list = {0};

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < LIMIT_STORE_DEPS; i++) {
            struct dep *dep = make(i);

            assert_int_equal(dep_list_add(&list, dep), i);
            dep_unref(dep);
        }
    }
    assert_int_equal(list.len, LIMIT_STORE_DEPS);
    for (unsigned i = 0; i < LIMIT_STORE_DEPS + 10; i++) {
        struct dep *dep = make(i);

        assert_int_equal(dep_list_find(&list, dep), i < LIMIT_STORE_DEPS ? i : DEP_NONE);
        dep_unref(dep);
    }
    dep_list_clear(&list);
    assert_int_equal(list.len, 0);
}

static void an_empty_list_has_nothing_and_references_are_given_back(void **state)
{
    struct dep_list list = {0};
    struct dep *dep = make(1);

    (void)state;
    assert_false(dep_list_has(&list, dep));
    dep_list_add(&list, dep);
    assert_true(dep_list_has(&list, dep));
    assert_int_equal(dep->refs, 2);
    dep_list_clear(&list);
    assert_int_equal(dep->refs, 1);
    assert_false(dep_list_has(&list, dep));
    dep_unref(dep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stands_there_once_in_the_order_of_its_first_mention),
        cmocka_unit_test(an_empty_list_has_nothing_and_references_are_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
