#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "fetch/store.h"

static struct dep *make(unsigned n)
{
    char path[32];
    struct dep *dep;
    struct err err;

    snprintf(path, sizeof(path), "secret/%u", n);
    assert_int_equal(dep_new(DEP_READ, str_of(path), NULL, 0, NULL, &dep, &err), 0);
    return dep;
}

static void what_was_put_is_found_until_it_is_dropped(void **state)
{
    struct store *store = store_new();
    struct dep *dep = make(1), *twin = make(1);
    struct secret *first = secret_new(), *second = secret_new();
    struct err err;

    (void)state;
    assert_null(store_get(store, dep));
    assert_int_equal(store_put(store, dep, first, &err), 0);
    assert_ptr_equal(store_get(store, twin), first);
    assert_int_equal(store_put(store, twin, second, &err), 0);
    assert_ptr_equal(store_edit(store, dep), second);
    store_drop(store, twin);
    store_drop(store, twin);
    assert_null(store_get(store, dep));
    dep_unref(dep);
    dep_unref(twin);
    store_free(store);
}

static void it_is_known_why_there_is_no_answer(void **state)
{
    struct store *store = store_new();
    struct dep *dep = make(1), *other = make(2);
    const struct secret *secret;
    struct err err;
    size_t at = 0;

    (void)state;
    assert_int_equal(store_state(store, dep), STORE_PENDING);
    assert_int_equal(store_fail(store, dep, false, &err), 0);
    assert_int_equal(store_state(store, dep), STORE_FAILED);
    assert_int_equal(store_fail(store, dep, true, &err), 0);
    assert_int_equal(store_state(store, dep), STORE_ABSENT);
    assert_null(store_get(store, dep));
    assert_int_equal(store_count(store), 0);
    assert_null(store_next(store, &at, &secret));
    assert_int_equal(store_put(store, other, secret_new(), &err), 0);
    assert_int_equal(store_put(store, dep, secret_new(), &err), 0);
    assert_int_equal(store_fail(store, dep, true, &err), 0); /* an answer is kept */
    assert_int_equal(store_state(store, dep), STORE_ANSWERED);
    assert_int_equal(store_count(store), 2);
    at = 0;
    assert_non_null(store_next(store, &at, &secret));
    assert_non_null(store_next(store, &at, &secret));
    assert_null(store_next(store, &at, &secret));
    store_drop(store, dep);
    assert_int_equal(store_state(store, dep), STORE_PENDING);
    dep_unref(dep);
    dep_unref(other);
    store_free(store);
}

static void many_are_kept_apart_up_to_the_limit(void **state)
{
    struct store *store = store_new();
    struct dep *more = make(LIMIT_STORE_DEPS);
    struct err err;

    (void)state;
    for (unsigned i = 0; i < LIMIT_STORE_DEPS; i++) {
        struct dep *dep = make(i);

        assert_int_equal(store_put(store, dep, secret_new(), &err), 0);
        assert_int_equal(dep->refs, 2);
        dep_unref(dep);
    }
    assert_int_equal(store_put(store, more, secret_new(), &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    for (unsigned i = 0; i < LIMIT_STORE_DEPS; i += 2) {
        struct dep *dep = make(i);

        assert_non_null(store_get(store, dep));
        store_drop(store, dep);
        dep_unref(dep);
    }
    assert_null(store_get(store, more));
    assert_int_equal(store_put(store, more, secret_new(), &err), 0);
    dep_unref(more);
    store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_until_it_is_dropped),
        cmocka_unit_test(it_is_known_why_there_is_no_answer),
        cmocka_unit_test(many_are_kept_apart_up_to_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
