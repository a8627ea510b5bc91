#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/target.h"

static void a_path_has_no_escapes_and_no_query(void **state)
{
    static const struct {
        const char *target, *path; /* NULL: refused */
    } rows[] = {
        {"/", "/"},
        {"/a%20b", "/a b"},
        {"/a+b?c=d", "/a+b"},
        {"/a%2", "/a%2"},
        {"/a%2g%%41", "/a%2g%A"},
        {"/%C3%BC", "/\xc3\xbc"},
        {"http://host/x?y", "/x"},
        {"http://host", "/"},
        {"http://host?y", "/"},
        {"*", "*"},
        {"?x", "/"},
        {"x", NULL},
        {"host:1", NULL},
        {"/a#b", NULL},
        {"/a%00b", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_free_ char *path = target_path(rows[i].target);

        if (!rows[i].path)
            assert_null(path);
        else
            assert_string_equal(path, rows[i].path);
    }
}

static void parameters_are_found_by_their_names(void **state)
{
    struct pairs params;

    (void)state;
    target_params("/x?a=1+2%203&&list&b==&a=again&%63=%00x&=", &params);
    assert_string_equal(pairs_find(&params, "a", false), "1 2 3");
    assert_string_equal(pairs_find(&params, "list", false), "");
    assert_string_equal(pairs_find(&params, "b", false), "=");
    assert_string_equal(pairs_find(&params, "c", false), "");
    assert_string_equal(pairs_find(&params, "", false), "");
    assert_null(pairs_find(&params, "A", false));
    assert_non_null(pairs_find(&params, "A", true));
    assert_int_equal(params.count, 6);
    mem_free(params.text);
    target_params("/x", &params);
    assert_null(pairs_find(&params, "x", false));
    mem_free(params.text);
}

static void pairs_come_in_order(void **state)
{
    char text[] = "a\0"
                  "1\0"
                  "b\0"
                  "2";
    const struct pairs pairs = {.text = text, .count = 2};
    struct pair pair = {0};

    (void)state;
    assert_true(pairs_next(&pairs, &pair));
    assert_string_equal(pair.name, "a");
    assert_true(pairs_next(&pairs, &pair));
    assert_string_equal(pair.name, "b");
    assert_string_equal(pair.value, "2");
    assert_false(pairs_next(&pairs, &pair));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_has_no_escapes_and_no_query),
        cmocka_unit_test(parameters_are_found_by_their_names),
        cmocka_unit_test(pairs_come_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
