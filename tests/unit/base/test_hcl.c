#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hcl.h"
#include "base/json.h"
#include "base/limits.h"

struct fixture {
    struct arena arena;
    struct val v;
    struct err err;
    struct val_place place;
};

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));

    arena_init(&f->arena, LIMIT_CONFIG_TREE_BYTES, "document");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_done(&f->arena);
    mem_free(f);
    return 0;
}

static int read_text(struct fixture *f, const char *text)
{
    return hcl_read(text, strlen(text), 7, &f->arena, &f->v, &f->place, &f->err);
}

static void expect(void **state, const char *text, const char *json)
{
    struct fixture *f = *state;
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, MIB(1));
    if (read_text(f, text) != 0)
        fail_msg("%s: %s", text, f->err.text);
    assert_int_equal(json_write(&buf, &f->v, JSON_NO_HTML, &f->err), 0);
    assert_string_equal(buf.data, json);
}

static void expect_refused(void **state, const char *text, unsigned line, unsigned column)
{
    struct fixture *f = *state;

    if (read_text(f, text) == 0)
        fail_msg("accepted: %s", text);
    assert_int_equal(f->place.line, line);
    assert_int_equal(f->place.column, column);
}

static void hcl_reads_attributes_of_every_kind(void **state)
{
    expect(state, "a = \"x\"\nb = 5\nc = true\nd = [1, \"y\", [2], {e = 1},]\nf = {g = 1.5}\n\"h\" = -1",
           "{\"a\":\"x\",\"b\":5,\"c\":true,\"d\":[1,\"y\",[2],{\"e\":1}],\"f\":{\"g\":1.5},\"h\":-1}");
    expect(state, "", "{}");
}

static void hcl_numbers_have_a_base_by_their_prefix(void **state)
{
    expect(state, "a = 0644 b = 644 c = 0x1a4 d = -0x10 e = 1e3 f = .5 g = 1. h = 0 i = 00.5",
           "{\"a\":420,\"b\":644,\"c\":420,\"d\":-16,\"e\":1000,\"f\":0.5,\"g\":1,\"h\":0,\"i\":0.5}");
    expect_refused(state, "a = 08", 1, 5);
    expect_refused(state, "a = 0x", 1, 5);
    expect_refused(state, "a = 1e", 1, 5);
    expect_refused(state, "a = 0o17", 1, 9);
    expect_refused(state, "a = 99999999999999999999", 1, 5);
}

static void hcl_strings_decode_the_escapes_of_the_original(void **state)
{
    expect(state, "a = \"\\n\\t\\\"\\\\\\u00e9\\U0001F600\\x41\\101\"",
           "{\"a\":\"\\n\\t\\\"\\\\\xc3\xa9\xf0\x9f\x98\x80"
           "AA\"}");
    expect_refused(state, "a = \"\\d\"", 1, 6);
    expect_refused(state, "a = \"x", 1, 5);
    expect_refused(state, "a = \"x\ny\"", 1, 5);
    expect_refused(state, "a = 'x'", 1, 5);
    expect_refused(state, "a = \"\xff\"", 1, 6);
    expect_refused(state,
                   "\xef\xbb\xbf"
                   "a = 1",
                   1, 1);
}

static void hcl_keeps_what_stands_in_interpolations(void **state)
{
    expect(state, "a = \"x ${ f(\"y\\n\") + {1} } z\\t\"", "{\"a\":\"x ${ f(\\\"y\\\\n\\\") + {1} } z\\t\"}");
    expect_refused(state, "a = \"${ x\"", 1, 5);
}

static void hcl_heredocs_end_with_a_newline_and_may_be_unindented(void **state)
{
    expect(state, "a = <<EOF\nx\n y\nEOF\n", "{\"a\":\"x\\n y\\n\"}");
    expect(state, "a = <<-EOF\n  x\n   y\n  EOF\n", "{\"a\":\"x\\n y\\n\"}");
    expect(state, "a = <<-EOF\n  x\n\n  EOF\n", "{\"a\":\"  x\\n\\n\"}");
    expect(state, "a = <<-EOF\n x\n  EOF\n", "{\"a\":\" x\\n\"}");
    expect(state, "a = [<<E\nq\nE\n, 1]", "{\"a\":[\"q\\n\",1]}");
    expect(state, "a = <<EOF\r\nx\r\nEOF\r\n", "{\"a\":\"x\\n\"}");
    expect_refused(state, "a = <<EOF\nx\nEOF", 1, 5);
    expect_refused(state, "a = <<\"EOF\"\nx\nEOF\n", 1, 5);
    expect_refused(state, "a = <EOF\n", 1, 5);
}

static void hcl_skips_comments(void **state)
{
    expect(state, "# a\n// b\n/* c\n*/ a = 1 # d\nb = /* e */ 2", "{\"a\":1,\"b\":2}");
    expect_refused(state, "a = 1 /* x", 1, 7);
    expect_refused(state, "a = 1 / x", 1, 7);
}

static void hcl_needs_no_separators_between_attributes(void **state)
{
    expect(state, "a = 1 b = 2, c = 3,", "{\"a\":1,\"b\":2,\"c\":3}");
    expect_refused(state, "a = 1,, b = 2", 1, 7);
    expect_refused(state, "a = [1 2]", 1, 8);
    expect(state, "a = [,1,,2,]", "{\"a\":[1,2]}");
}

static void hcl_last_of_duplicate_attributes_wins_and_blocks_add_up(void **state)
{
    struct fixture *f = *state;

    expect(state, "a = 1\na = 2", "{\"a\":2}");
    expect(state, "a { b = 1 }\na = { b = 2 }\na { }", "{\"a\":[{\"b\":1},{\"b\":2},{}]}");
    assert_int_equal(val_get(&f->v, "a")->type, HCL_BLOCKS);
    assert_int_equal(hcl_block_count(val_get(&f->v, "a")), 3);
    assert_int_equal(val_get(hcl_block(val_get(&f->v, "a"), 1), "b")->i, 2);
    expect(state, "a = [{ b = 1 }]", "{\"a\":[{\"b\":1}]}");
    assert_int_equal(hcl_block_count(val_get(&f->v, "a")), 0);
}

static void hcl_labels_are_maps_of_their_own_type(void **state)
{
    struct fixture *f = *state;

    expect(state, "a \"b\" c { d = 1 }", "{\"a\":{\"b\":{\"c\":{\"d\":1}}}}");
    assert_int_equal(val_get(&f->v, "a")->type, HCL_LABEL);
    assert_int_equal(val_dig(&f->v, "a", "b", "c", NULL)->type, VAL_T_NATURAL);
    expect_refused(state, "a \"b\" = {}", 1, 7);
    expect_refused(state, "a \"b\"", 1, 6);
}

static void hcl_nodes_know_their_place(void **state)
{
    struct fixture *f = *state;
    const struct val *v;

    assert_int_equal(read_text(f, "a {\n  b = [1,\n    2]\n}\n"), 0);
    v = val_dig(&f->v, "a", "b", NULL);
    assert_int_equal(v->line, 2);
    assert_int_equal(v->column, 7);
    assert_int_equal(v->file, 7);
    assert_int_equal(v->list.items[1].line, 3);
}

static void hcl_errors_show_nothing_of_strings(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_text(f, "a = \"Zs3cret\\d\""), -1);
    assert_null(strstr(f->err.text, "Zs3cret"));
    assert_int_equal(read_text(f, "a = [\"Zs3cret\" \"Zs3cret\"]"), -1);
    assert_null(strstr(f->err.text, "Zs3cret"));
}

static void hcl_accepts_an_unfinished_last_assignment_as_the_original_does(void **state)
{
    expect(state, "a = 1\nb =\n", "{\"a\":1}");
    expect_refused(state, "a { b =", 1, 8);
}

static void hcl_json_dialect_has_blocks_and_no_null(void **state)
{
    struct fixture *f = *state;

    expect(state, " {\"a\":[{\"b\":1},{\"b\":2}],\"c\":null,\"d\":[],\"e\":1.5,\"a\":{\"b\":3},}",
           "{\"a\":[{\"b\":1},{\"b\":2},{\"b\":3}],\"c\":\"\",\"d\":[],\"e\":1.5}");
    assert_int_equal(hcl_block_count(val_get(&f->v, "a")), 3);
    assert_int_equal(hcl_block_count(val_get(&f->v, "d")), 0);
    expect(state, "{\"a\":\"\\ud83d\\ude00\",\"a\":1,\"a\":2}", "{\"a\":2}");
    expect_refused(state, "{\"a\":1 /* c */}", 1, 8);
}

static void hcl_depth_is_bounded(void **state)
{
    struct fixture *f = *state;
    char text[2 * LIMIT_DEPTH + 16] = "a = ";

    memset(text + 4, '[', LIMIT_DEPTH - 1);
    memset(text + 4 + LIMIT_DEPTH - 1, ']', LIMIT_DEPTH - 1);
    assert_int_equal(read_text(f, text), 0);
    memset(text + 4, '[', LIMIT_DEPTH);
    memset(text + 4 + LIMIT_DEPTH, ']', LIMIT_DEPTH);
    assert_int_equal(read_text(f, text), -1);
    assert_int_equal(f->err.code, ERR_LIMIT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(hcl_reads_attributes_of_every_kind),
        TEST(hcl_numbers_have_a_base_by_their_prefix),
        TEST(hcl_strings_decode_the_escapes_of_the_original),
        TEST(hcl_keeps_what_stands_in_interpolations),
        TEST(hcl_heredocs_end_with_a_newline_and_may_be_unindented),
        TEST(hcl_skips_comments),
        TEST(hcl_needs_no_separators_between_attributes),
        TEST(hcl_last_of_duplicate_attributes_wins_and_blocks_add_up),
        TEST(hcl_labels_are_maps_of_their_own_type),
        TEST(hcl_nodes_know_their_place),
        TEST(hcl_errors_show_nothing_of_strings),
        TEST(hcl_accepts_an_unfinished_last_assignment_as_the_original_does),
        TEST(hcl_json_dialect_has_blocks_and_no_null),
        TEST(hcl_depth_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
