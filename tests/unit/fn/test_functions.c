#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fn/fn.h"
#include "fn/functions.h"
#include "tpl/access.h"
#include "tpl/func.h"

static const struct func **all_rows(size_t *ret_count)
{
    const struct func **rows = mem_array(functions_count(), sizeof(*rows));

    *ret_count = functions_count();
    assert_true(*ret_count <= FUNC_MOST);
    functions_list(rows);
    return rows;
}

static void every_row_is_found_by_its_name(void **state)
{
    size_t count;
    _cleanup_free_ const struct func **rows = all_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(functions_find(str_of(rows[i]->name)), rows[i]);
}

static void names_are_listed_once_and_in_order(void **state)
{
    size_t count;
    _cleanup_free_ const struct func **rows = all_rows(&count);

    (void)state;
    for (size_t i = 1; i < count; i++)
        assert_true(strcmp(rows[i - 1]->name, rows[i]->name) < 0);
}

static void every_row_is_complete(void **state)
{
    size_t count;
    _cleanup_free_ const struct func **rows = all_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        size_t letters = strspn(rows[i]->params, "sibfaLAMDTVOuCv");

        assert_true(rows[i]->params[letters] == '\0' || strcmp(rows[i]->params + letters, "*") == 0);
        assert_non_null(rows[i]->body);
        assert_true(strlen(rows[i]->help) > 10 && (strlen(rows[i]->usage) > 0 || !letters));
    }
}

static void unknown_names_are_not_found(void **state)
{
    static const char *const names[] = {"", "quote", "PRINT", "prin", "printff", "sprig_"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_null(functions_find(str_of(names[i])));
        assert_string_equal(functions_absence(str_of(names[i])), "not defined");
    }
}

static void functions_of_consul_and_nomad_say_so(void **state)
{
    static const char *const names[] = {"key", "tree", "nomadVar", "byMeta"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_non_null(strstr(functions_absence(str_of(names[i])), "is not supported: this agent asks Vault"));
    assert_string_equal(functions_absence(STR("sprig_nothing")), "not defined");
}

static void what_there_is_is_not_absent(void **state)
{
    size_t count;
    _cleanup_free_ const struct func **rows = all_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++)
        assert_string_equal(functions_absence(str_of(rows[i]->name)), "not defined");
}

static void all_of_sprigs_functions_are_there(void **state)
{
    size_t count, of_sprig = 0;
    _cleanup_free_ const struct func **rows = all_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++)
        of_sprig += str_has_prefix(str_of(rows[i]->name), "sprig_");
    assert_int_equal(of_sprig, 211); /* 17 of them only in older versions */
}

static void truth_is_that_of_go(void **state)
{
    const struct val no[] = {val_null(),      val_bool(false), val_int(0),      val_uint(0),
                             val_float(-0.0), val_cstr(""),    val_list(no, 0), val_map(NULL, 0)};
    const struct val yes[] = {val_bool(true),    val_int(-1),        val_float(__builtin_nan("")),
                              val_cstr("false"), val_number("0", 1), val_list(no, 1)};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        assert_false(access_truth(&no[i]));
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        assert_true(access_truth(&yes[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_by_its_name),
        cmocka_unit_test(names_are_listed_once_and_in_order),
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(unknown_names_are_not_found),
        cmocka_unit_test(functions_of_consul_and_nomad_say_so),
        cmocka_unit_test(what_there_is_is_not_absent),
        cmocka_unit_test(all_of_sprigs_functions_are_there),
        cmocka_unit_test(truth_is_that_of_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
