/*
 * Rows of tests/vectors/regex.jsonl: a pattern, a text and a replacement, with all matches and groups and both replacements as
 * Go's regexp gives them, or its error. REGEX_ROWS names another file of such rows.
 */
#include "support/rows.h"

#include "regex/regex.h"

static bool on_match(void *ctx, const struct regex_span *spans, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_addf(ctx, "%s%lld,%lld", i == 0 ? "[" : " ", (long long)spans[i].begin, (long long)spans[i].end);
    buf_addc(ctx, ']');
    return true;
}

static bool replaces_as_go(struct arena *arena, const struct val *row, const struct regex *regex, const struct val *args,
                           bool literal)
{
    _cleanup_buf_ struct buf got;
    struct err err;

    buf_init(&got, LIMIT_OUTPUT_BYTES);
    assert_int_equal(regex_replace_all(regex, args[1].s, args[2].s, literal, &got, &err), 0);
    return str_eq((struct str){got.data, got.len}, row_text(arena, row, literal ? "literal" : "replaced"));
}

static bool finds_as_go(struct arena *arena, const struct val *row, struct buf *got, struct str *want)
{
    size_t argc;
    const struct val *args = row_args(arena, row, read_text, &argc);
    const struct regex *regex;
    struct err err = {0};
    bool found;

    if (regex_compile(arena, args[0].s, &regex, &err) != 0) {
        *want = row_text(arena, row, "error");
        buf_adds(got, err.text);
        return str_eqs(*want, err.text);
    }
    *want = row_text(arena, row, "want");
    assert_int_equal(regex_find_all(regex, args[1].s, regex_groups(regex), on_match, got, &err), 0);
    assert_int_equal(regex_match(regex, args[1].s, &found, &err), 0);
    return found == (want->len > 0) && str_eq((struct str){got->data, got->len}, *want) &&
           replaces_as_go(arena, row, regex, args, false) && replaces_as_go(arena, row, regex, args, true);
}

static void every_row_matches_as_go_matches(void **state)
{
    (void)state;
    rows_run(TESTS_DIR "/vectors/regex.jsonl", "REGEX_ROWS", finds_as_go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_matches_as_go_matches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
