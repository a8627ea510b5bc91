#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text_list.h"

static void each_stands_there_once_in_the_order_of_its_first_mention(void **state)
{
    struct text_list list = {0};

    (void)state;
    assert_false(text_list_has(&list, "a"));
    for (int round = 0; round < 2; round++) {
        text_list_add(&list, "b");
        text_list_add(&list, "a");
        text_list_add(&list, "c");
    }
    assert_int_equal(list.len, 3);
    assert_string_equal(list.items[0], "b");
    assert_string_equal(list.items[2], "c");
    assert_true(text_list_has(&list, "a"));
    text_list_clear(&list);
    assert_int_equal(list.len, 0);
}

static void the_last_takes_the_place_of_what_is_removed(void **state)
{
    struct text_list list = {0};

    (void)state;
    text_list_add(&list, "a");
    text_list_add(&list, "b");
    text_list_add(&list, "c");
    text_list_remove(&list, 0);
    assert_string_equal(list.items[0], "c");
    assert_false(text_list_has(&list, "a"));
    text_list_remove(&list, 1);
    text_list_remove(&list, 0);
    assert_int_equal(list.len, 0);
    text_list_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stands_there_once_in_the_order_of_its_first_mention),
        cmocka_unit_test(the_last_takes_the_place_of_what_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
