#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/val.h"

/* Keys live as long as the program. */
static struct val_pair pair(const char *key, struct val value)
{
    static struct val keys[64];
    static size_t used;

    assert_true(used < ARRAY_LEN(keys));
    keys[used] = val_cstr(key);
    return (struct val_pair){&keys[used++], value};
}

static void pairs_sort_bytewise_and_equal_keys_keep_their_order(void **state)
{
    struct val_pair pairs[] = {pair("b", val_int(1)), pair("a", val_int(2)), pair("B", val_int(3)), pair("a", val_int(4)),
                               pair("", val_int(5))};
    const int64_t want[] = {5, 3, 2, 4, 1};

    (void)state;
    val_sort_pairs(pairs, ARRAY_LEN(pairs));
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        assert_int_equal(pairs[i].value.i, want[i]);
}

static void a_map_finds_its_keys_and_nothing_else(void **state)
{
    struct val_pair pairs[] = {pair("a", val_int(1)), pair("ab", val_int(2)), pair("b", val_int(3))};
    struct val map = val_map(pairs, ARRAY_LEN(pairs));

    (void)state;
    assert_int_equal(val_get(&map, "ab")->i, 2);
    assert_int_equal(val_get(&map, "b")->i, 3);
    assert_null(val_get(&map, "c"));
    assert_null(val_get(&map, ""));
    assert_null(val_get(NULL, "a"));
    assert_null(val_get(&pairs[0].value, "a"));
}

static void dig_follows_a_path_and_stops_at_a_gap(void **state)
{
    struct val_pair inner[] = {pair("version", val_number("12", 2))};
    struct val_pair outer[] = {pair("metadata", val_map(inner, 1))};
    struct val map = val_map(outer, 1);
    int64_t version;

    (void)state;
    assert_true(val_as_int(val_dig(&map, "metadata", "version", NULL), &version));
    assert_int_equal(version, 12);
    assert_null(val_dig(&map, "data", "version", NULL));
}

static void only_whole_numbers_are_integers(void **state)
{
    struct val number = val_number("1.0", 3), huge = val_number("99999999999999999999", 20), text = val_cstr("5");
    int64_t i = 7;

    (void)state;
    assert_false(val_as_int(&number, &i));
    assert_false(val_as_int(&huge, &i));
    assert_false(val_as_int(&text, &i));
    assert_int_equal(i, 7);
}

static void a_deep_copy_shares_nothing(void **state)
{
    char text[] = "hunter2";
    struct val items[] = {val_cstr(text), val_null()};
    struct val_pair pairs[] = {pair("list", val_list(items, 2))};
    struct val map = val_map(pairs, 1), copy;
    _cleanup_arena_ struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, KIB(4), "copy");
    assert_int_equal(val_copy(&arena, &map, &copy, &err), 0);
    assert_true(val_equal(&map, &copy));
    text[0] = 'X';
    assert_false(val_equal(&map, &copy));
}

static void a_copy_of_endless_depth_is_refused(void **state)
{
    struct val chain[LIMIT_DEPTH * 3];
    _cleanup_arena_ struct arena arena;
    struct val copy;
    struct err err;

    (void)state;
    chain[0] = val_null();
    for (size_t i = 1; i < ARRAY_LEN(chain); i++)
        chain[i] = val_list(&chain[i - 1], 1);
    arena_init(&arena, MIB(1), "copy");
    assert_int_equal(val_copy(&arena, &chain[ARRAY_LEN(chain) - 1], &copy, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void a_key_is_found_from_where_another_map_had_it(void **state)
{
    struct val_pair few[3], many[20];
    char keys[20][2] = {{0}};
    uint16_t near = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        keys[i][0] = (char)('a' + i);
        many[i] = pair(keys[i], val_int((int64_t)i));
        if (i < ARRAY_LEN(few))
            few[i] = many[i];
    }
    for (uint16_t from = 0; from < 5; from++) {
        struct val small = val_map(few, ARRAY_LEN(few)), large = val_map(many, ARRAY_LEN(many)), none = val_map(NULL, 0);

        near = from;
        assert_int_equal(val_get_near(&small, STR("b"), &near)->i, 1);
        assert_int_equal(near, 1);
        near = from;
        assert_int_equal(val_get_near(&large, STR("t"), &near)->i, 19);
        assert_null(val_get_near(&small, STR("x"), &near));
        assert_null(val_get_near(&none, STR("a"), &near));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_found_from_where_another_map_had_it),
        cmocka_unit_test(pairs_sort_bytewise_and_equal_keys_keep_their_order),
        cmocka_unit_test(a_map_finds_its_keys_and_nothing_else),
        cmocka_unit_test(dig_follows_a_path_and_stops_at_a_gap),
        cmocka_unit_test(only_whole_numbers_are_integers),
        cmocka_unit_test(a_deep_copy_shares_nothing),
        cmocka_unit_test(a_copy_of_endless_depth_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
