#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/mem.h"
#include "base/text_map.h"

#define MANY 3000

static int values[MANY];

static const char *key_of(size_t i)
{
    static char key[32];

    snprintf(key, sizeof(key), "/secrets/app-%zu", i);
    return key;
}

static void an_empty_map_knows_nothing(void **state)
{
    struct text_map map = {0};
    size_t at = 0;

    (void)state;
    assert_null(text_map_get(&map, "a"));
    assert_null(text_map_remove(&map, "a"));
    assert_null(text_map_next(&map, &at));
    text_map_clear(&map);
}

static void a_key_is_there_once_with_its_newest_value(void **state)
{
    struct text_map map = {0};

    (void)state;
    text_map_set(&map, "", &values[0]);
    text_map_set(&map, "a", &values[1]);
    text_map_set(&map, "a", &values[2]);
    assert_int_equal(map.len, 2);
    assert_ptr_equal(text_map_get(&map, ""), &values[0]);
    assert_ptr_equal(text_map_get(&map, "a"), &values[2]);
    assert_null(text_map_get(&map, "b"));
    text_map_clear(&map);
    assert_int_equal(map.len, 0);
}

/* Whatever is removed, in whatever order, the others are found. */
static void what_stays_is_found_while_others_go(void **state)
{
    struct text_map map = {0};
    size_t at = 0, seen = 0;

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        text_map_set(&map, key_of(i), &values[i]);
    for (size_t i = 0; i < MANY; i += 1 + i % 3)
        assert_ptr_equal(text_map_remove(&map, key_of(i)), &values[i]);
    for (size_t i = 0, gone = 0; i < MANY; i++) {
        if (i == gone) {
            gone += 1 + gone % 3;
            assert_null(text_map_get(&map, key_of(i)));
            continue;
        }
        assert_ptr_equal(text_map_get(&map, key_of(i)), &values[i]);
        seen++;
    }
    assert_int_equal(seen, map.len);
    for (void *value; (value = text_map_next(&map, &at)); seen--)
        assert_true(value >= (void *)values && value < (void *)(values + MANY));
    assert_int_equal(seen, 0);
    text_map_clear(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_knows_nothing),
        cmocka_unit_test(a_key_is_there_once_with_its_newest_value),
        cmocka_unit_test(what_stays_is_found_while_others_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
