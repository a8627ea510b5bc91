#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/yaml.h"

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
    return yaml_read(text, strlen(text), 7, &f->arena, &f->v, &f->place, &f->err);
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

static void expect_refused(void **state, const char *text, enum err_code code)
{
    struct fixture *f = *state;

    if (read_text(f, text) == 0)
        fail_msg("accepted: %s", text);
    assert_int_equal(f->err.code, code);
}

static void yaml_reads_maps_lists_and_block_scalars(void **state)
{
    expect(state, "b: [1, {c: x}]\na:\n- y\n-\n  z: w\nd: |\n  one\n  two\ne: >-\n  three\n  four\n",
           "{\"a\":[\"y\",{\"z\":\"w\"}],\"b\":[1,{\"c\":\"x\"}],\"d\":\"one\\ntwo\\n\",\"e\":\"three four\"}");
    expect(state, "", "null");
    expect(state, "# nothing\n", "null");
}

static void yaml_plain_scalars_have_the_types_of_yaml_1_1(void **state)
{
    expect(state, "[null, ~, Null, true, Yes, off, 12, -5, 0x1F, 0644, 0o17, 0b101, 1_000, 1.5, -2e3, .5]",
           "[null,null,null,true,true,false,12,-5,31,420,15,5,1000,1.5,-2000,0.5]");
    expect(state, "[\"true\", '1', !!str 5, y, 1.2.3, 2024-01-01, \"\", 0xZ, 12h, ., -, +, 1e]",
           "[\"true\",\"1\",\"5\",\"y\",\"1.2.3\",\"2024-01-01\",\"\",\"0xZ\",\"12h\",\".\",\"-\",\"+\",\"1e\"]");
    expect(state, "{1: a, true: b}", "{\"1\":\"a\",\"true\":\"b\"}");
}

static void yaml_aliases_and_merge_keys_repeat_what_was_anchored(void **state)
{
    expect(state, "a: &x {b: 1, c: 2}\nd: *x\ne:\n  <<: *x\n  c: 3\nf: {<<: [{g: 1}, {g: 2, h: 3}]}\n",
           "{\"a\":{\"b\":1,\"c\":2},\"d\":{\"b\":1,\"c\":2},\"e\":{\"b\":1,\"c\":3},\"f\":{\"g\":1,\"h\":3}}");
    expect_refused(state, "a: *nothing", ERR_INPUT);
    expect_refused(state, "a: &x [*x]", ERR_INPUT);
    expect_refused(state, "a: {<<: 5}", ERR_INPUT);
}

static void yaml_billion_laughs_end_at_the_member_limit(void **state)
{
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, KIB(64));
    buf_adds(&buf, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 12; i++)
        buf_addf(&buf, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1,
                 i - 1, i - 1);
    expect_refused(state, buf.data, ERR_LIMIT);
}

static void yaml_depth_is_bounded_also_through_aliases(void **state)
{
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, KIB(64));
    for (int i = 0; i <= LIMIT_DEPTH; i++)
        buf_addc(&buf, '[');
    expect_refused(state, buf.data, ERR_LIMIT);
    buf_reset(&buf);
    buf_adds(&buf, "a0: &a0 [x]\n");
    for (int i = 1; i <= LIMIT_DEPTH; i++)
        buf_addf(&buf, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    expect_refused(state, buf.data, ERR_LIMIT);
}

static void yaml_anchors_are_bounded(void **state)
{
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, KIB(64));
    for (int i = 0; i <= LIMIT_YAML_ANCHORS; i++)
        buf_addf(&buf, "- &a%d x\n", i);
    expect_refused(state, buf.data, ERR_LIMIT);
}

static void yaml_refuses_duplicate_and_compound_keys_and_second_documents(void **state)
{
    expect_refused(state, "a: 1\nb: 2\na: 3\n", ERR_INPUT);
    expect_refused(state, "? [a]\n: 1\n", ERR_INPUT);
    expect_refused(state, "a: 1\n---\nb: 2\n", ERR_INPUT);
    expect_refused(state, "a: [1", ERR_INPUT);
    expect_refused(state, "a: \"\xff\"", ERR_INPUT);
}

static void yaml_nodes_and_errors_know_their_place(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_text(f, "a:\n  b: 5\n"), 0);
    assert_int_equal(val_dig(&f->v, "a", "b", NULL)->line, 2);
    assert_int_equal(val_dig(&f->v, "a", "b", NULL)->column, 6);
    assert_int_equal(val_dig(&f->v, "a", "b", NULL)->file, 7);
    assert_int_equal(read_text(f, "a: 1\nb: 2\na: 3\n"), -1);
    assert_int_equal(f->place.line, 3);
}

static void yaml_that_does_not_fit_says_where(void **state)
{
    struct fixture *f = *state;

    arena_done(&f->arena);
    arena_init(&f->arena, 100, "document");
    assert_int_equal(
        read_text(
            f,
            "- a\n- b\n- 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\n"),
        -1);
    assert_string_equal(f->err.text, "document: more than 100 bytes of memory");
    assert_int_equal(f->place.line, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(yaml_reads_maps_lists_and_block_scalars),
        TEST(yaml_plain_scalars_have_the_types_of_yaml_1_1),
        TEST(yaml_aliases_and_merge_keys_repeat_what_was_anchored),
        TEST(yaml_billion_laughs_end_at_the_member_limit),
        TEST(yaml_depth_is_bounded_also_through_aliases),
        TEST(yaml_anchors_are_bounded),
        TEST(yaml_refuses_duplicate_and_compound_keys_and_second_documents),
        TEST(yaml_nodes_and_errors_know_their_place),
        cmocka_unit_test_setup_teardown(yaml_that_does_not_fit_says_where, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
