#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "regex/regex.h"

/* An arena, a text of `len` bytes that repeats `unit`, and the last error. */
struct scene {
    struct arena arena;
    struct buf text;
    struct err err;
};

static void scene_init(struct scene *scene, const char *unit, size_t len)
{
    scene->err = (struct err){0};
    arena_init(&scene->arena, LIMIT_REGEX_TREE_BYTES, "test");
    buf_init(&scene->text, MIB(8));
    while (scene->text.len < len)
        buf_adds(&scene->text, unit);
}

static void scene_done(struct scene *scene)
{
    arena_done(&scene->arena);
    buf_done(&scene->text);
}

#define _cleanup_scene_ _cleanup_(scene_done)

static const struct regex *compile(struct scene *scene, const char *pattern)
{
    const struct regex *regex = NULL;

    if (regex_compile(&scene->arena, str_of(pattern), &regex, &scene->err) != 0)
        assert_null(regex);
    return regex;
}

static int match(struct scene *scene, const char *pattern, bool *ret)
{
    const struct regex *regex = compile(scene, pattern);

    assert_non_null(regex);
    return regex_match(regex, (struct str){scene->text.data, scene->text.len}, ret, &scene->err);
}

static void assert_too_large(struct scene *scene, const char *pattern)
{
    assert_null(compile(scene, pattern));
    assert_int_equal(scene->err.code, ERR_LIMIT);
    assert_non_null(strstr(scene->err.text, "error parsing regexp: expression too large: `"));
}

static void a_pattern_over_its_maximum_is_too_large(void **state)
{
    _cleanup_scene_ struct scene scene;

    (void)state;
    scene_init(&scene, "a", LIMIT_REGEX_PATTERN_BYTES);
    assert_non_null(compile(&scene, scene.text.data));
    buf_addc(&scene.text, 'a');
    assert_too_large(&scene, scene.text.data);
}

static void a_program_over_its_maximum_is_too_large(void **state)
{
    _cleanup_scene_ struct scene scene;

    (void)state;
    scene_init(&scene, "a{1000}", 7 * (LIMIT_REGEX_PROGRAM / 1000));
    assert_too_large(&scene, scene.text.data);
    buf_cut(&scene.text, scene.text.len - 7);
    assert_non_null(compile(&scene, scene.text.data));
}

static void a_tree_over_its_maximum_is_too_large(void **state)
{
    _cleanup_scene_ struct scene scene;

    (void)state;
    scene_init(&scene, "\\pL", 60000);
    assert_too_large(&scene, scene.text.data);
}

static void more_copies_than_go_allows_are_refused(void **state)
{
    _cleanup_scene_ struct scene scene;

    (void)state;
    scene_init(&scene, "", 0);
    assert_non_null(compile(&scene, "((a{10}){10}){10}"));
    assert_null(compile(&scene, "((a{10}){10}){11}"));
    assert_string_equal(scene.err.text, "error parsing regexp: invalid repeat count: `{11}`");
}

static void patterns_that_explode_elsewhere_are_linear(void **state)
{
    static const char *const patterns[] = {"(a*)*b",        "(a+a+)+b",         "(a|aa|a?)*b",
                                           "(a|a)*b",       "((a?){20})a{20}b", "^(([a-z])+.)+[A-Z]([a-z])+$",
                                           "(.*)(.*)(.*)b", "(?:(?:a*)*)*$b"};
    _cleanup_scene_ struct scene scene;

    (void)state;
    scene_init(&scene, "a", 20000);
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        bool found = true;

        assert_int_equal(match(&scene, patterns[i], &found), 0);
        assert_false(found);
    }
}

static void a_search_of_too_many_steps_ends_with_an_error(void **state)
{
    _cleanup_scene_ struct scene scene;
    bool found;

    (void)state;
    scene_init(&scene, "a", 100000);
    assert_int_equal(match(&scene, "(a?){900}b", &found), -1);
    assert_int_equal(scene.err.code, ERR_LIMIT);
}

static void threads_that_save_too_much_end_with_an_error(void **state)
{
    _cleanup_scene_ struct scene scene;
    _cleanup_buf_ struct buf out;
    char says[120];

    (void)state;
    scene_init(&scene, "(a?)", LIMIT_REGEX_PATTERN_BYTES - 4);
    buf_init(&out, KIB(64));
    assert_int_equal(regex_replace_all(compile(&scene, scene.text.data), STR("aaaaaaaa"), STR("$1"), false, &out, &scene.err),
                     -1);
    assert_int_equal(scene.err.code, ERR_LIMIT);
    snprintf(says, sizeof(says), "regexp: threads of the pattern take more than %zu bytes on this text", LIMIT_REGEX_MEMORY);
    assert_string_equal(scene.err.text, says);
}

static bool on_second(void *ctx, const struct regex_span *spans, size_t count)
{
    (void)spans, (void)count;
    return ++*(int *)ctx < 2;
}

static void a_search_ends_when_told_to(void **state)
{
    _cleanup_scene_ struct scene scene;
    int matches = 0;

    (void)state;
    scene_init(&scene, "ab", 20);
    assert_int_equal(
        regex_find_all(compile(&scene, "b"), (struct str){scene.text.data, scene.text.len}, 0, on_second, &matches, &scene.err),
        0);
    assert_int_equal(matches, 2);
}

static void output_stops_at_the_maximum_of_the_buffer(void **state)
{
    _cleanup_scene_ struct scene scene;
    _cleanup_buf_ struct buf out;

    (void)state;
    scene_init(&scene, "ab", 2000);
    buf_init(&out, 100);
    assert_int_equal(regex_replace_all(compile(&scene, "b"), (struct str){scene.text.data, scene.text.len}, STR("ccc"), true,
                                       &out, &scene.err),
                     0);
    assert_int_equal(buf_check(&out, "out", &scene.err), -1);
}

/* Go since 1.25 knows scripts of one word only. */
static void names_of_scripts_may_have_more_than_one_word(void **state)
{
    static const char *const patterns[] = {"^\\p{Old_Italic}+$", "^\\p{old italic}+$", "^\\p{OldItalic}+$"};
    _cleanup_scene_ struct scene scene;
    bool found = false;

    (void)state;
    scene_init(&scene, "\xF0\x90\x8C\x80", 8);
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        assert_int_equal(match(&scene, patterns[i], &found), 0);
        assert_true(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_over_its_maximum_is_too_large),
        cmocka_unit_test(a_program_over_its_maximum_is_too_large),
        cmocka_unit_test(a_tree_over_its_maximum_is_too_large),
        cmocka_unit_test(more_copies_than_go_allows_are_refused),
        cmocka_unit_test(patterns_that_explode_elsewhere_are_linear),
        cmocka_unit_test(a_search_of_too_many_steps_ends_with_an_error),
        cmocka_unit_test(threads_that_save_too_much_end_with_an_error),
        cmocka_unit_test(a_search_ends_when_told_to),
        cmocka_unit_test(output_stops_at_the_maximum_of_the_buffer),
        cmocka_unit_test(names_of_scripts_may_have_more_than_one_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
