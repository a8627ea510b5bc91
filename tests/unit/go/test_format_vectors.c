/* Rows of tests/vectors/format.jsonl: a format, typed arguments, and what Go prints. FORMAT_ROWS names another file of such rows.
 */
#include "support/go_args.h"

#include "go/format.h"

static bool prints_as_go(struct arena *arena, const struct val *row, struct buf *got, struct str *want)
{
    const char *function = val_get_cstr(row, "function");
    size_t argc;
    struct val *args = row_args(arena, row, read_arg, &argc);

    *want = row_text(arena, row, "want");
    if (!function)
        format_sprintf(got, row_text(arena, row, "format"), args, argc);
    else if (strcmp(function, "print") == 0)
        format_sprint(got, args, argc);
    else
        format_sprintln(got, args, argc);
    return str_eq((struct str){got->data, got->len}, *want);
}

static void every_row_prints_as_go_prints_it(void **state)
{
    (void)state;
    rows_run(TESTS_DIR "/vectors/format.jsonl", "FORMAT_ROWS", prints_as_go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_prints_as_go_prints_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
