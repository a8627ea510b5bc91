#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "fetch/dep_list.h"

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

/* The table finds those that stay, in whatever order the others go. */
static void what_stays_is_found_while_others_go(void **state)
{
    enum { MANY = 2000 };
    static const unsigned counts[] = {1, 3, 8, 9, 100, MANY};
    bool there[MANY];

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
        struct dep_list list = {0};
        unsigned count = counts[k], gone = 0;

        for (unsigned i = 0; i < count; i++) {
            struct dep *dep = make(i);

            there[i] = true;
            assert_int_equal(dep_list_add(&list, dep), i);
            dep_unref(dep);
        }
        for (unsigned i = 0; i < count; i += 1 + i % 3, gone++) {
            struct dep *dep = make(i);

            dep_list_remove(&list, dep_list_find(&list, dep));
            there[i] = false;
            dep_unref(dep);
        }
        assert_int_equal(list.len, count - gone);
        for (unsigned i = 0; i < count; i++) {
            struct dep *dep = make(i);
            size_t found = dep_list_find(&list, dep);

            assert_true(there[i] ? found < list.len && dep_same(list.items[found], dep) : found == DEP_NONE);
            dep_unref(dep);
        }
        dep_list_clear(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stands_there_once_in_the_order_of_its_first_mention),
        cmocka_unit_test(an_empty_list_has_nothing_and_references_are_given_back),
        cmocka_unit_test(what_stays_is_found_while_others_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
