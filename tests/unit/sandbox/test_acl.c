#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sandbox/acl.h"

static unsigned allowed(const char *text, const char *path)
{
    struct acl acl;
    char name[] = "p", *names[] = {name, NULL};
    struct err err;
    unsigned r;

    assert_int_equal(acl_init(&acl, &err), 0);
    assert_int_equal(acl_put(&acl, "p", text, &err), 0);
    r = acl_capabilities(&acl, names, path);
    acl_done(&acl);
    return r;
}

static void patterns_match_segments_and_the_rest(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool matches;
    } rows[] = {
        {"a/b", "a/b", true},    {"a/b", "a/bc", false},     {"a/*", "a/b/c", true},   {"a/*", "a/", true},
        {"a/*", "a", false},     {"*", "anything", true},    {"a/+/c", "a/b/c", true}, {"a/+/c", "a/b/d/c", false},
        {"a/+", "a/b", true},    {"a/+/*", "a/b/c/d", true}, {"+/b", "a/b", true},     {"a/x+", "a/x+", true},
        {"a/x+", "a/xy", false}, {"a*", "abc", true},        {"", "", true},           {"", "a", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (acl_pattern_matches(rows[i].pattern, rows[i].path) != rows[i].matches)
            fail_msg("%s against %s", rows[i].pattern, rows[i].path);
}

static void the_more_specific_pattern_counts(void **state)
{
    static const char *const rising[] = {"*", "a/+/*", "a/*", "a/+/c", "a/b/*", "a/b/c"};

    (void)state;
    for (size_t i = 1; i < ARRAY_LEN(rising); i++)
        if (acl_pattern_compare(rising[i], rising[i - 1]) <= 0)
            fail_msg("%s should come before %s", rising[i], rising[i - 1]);
}

static void deny_beats_what_is_less_specific(void **state)
{
    static const char text[] =
        "path \"s/*\" { capabilities = [\"read\", \"list\"] }\npath \"s/closed/*\" { capabilities = [\"deny\"] }\n";

    (void)state;
    assert_int_equal(allowed(text, "s/open"), ACL_READ | ACL_LIST);
    assert_int_equal(allowed(text, "s/closed/x"), 0);
    assert_int_equal(allowed(text, "other"), 0);
}

static void same_path_in_two_blocks_adds_up(void **state)
{
    static const char text[] = "path \"s\" { capabilities = [\"read\"] }\npath \"s\" { capabilities = [\"list\"] }\n";

    (void)state;
    assert_int_equal(allowed(text, "s"), ACL_READ | ACL_LIST);
}

static void json_says_the_same_as_hcl(void **state)
{
    static const char text[] =
        "{\"path\":{\"s/*\":{\"capabilities\":[\"read\"]},\"t\":{\"capabilities\":[\"sudo\",\"update\"]}}}";

    (void)state;
    assert_int_equal(allowed(text, "s/a"), ACL_READ);
    assert_int_equal(allowed(text, "t"), ACL_SUDO | ACL_UPDATE);
}

static void unknown_capability_is_refused_by_name(void **state)
{
    struct acl acl;
    struct err err;

    (void)state;
    assert_int_equal(acl_init(&acl, &err), 0);
    assert_int_equal(acl_put(&acl, "p", "path \"x\" { capabilities = [\"fly\"] }", &err), -1);
    assert_string_equal(err.text, "failed to parse policy: path \"x\": invalid capability \"fly\"");
    assert_null(acl_text(&acl, "p"));
    acl_done(&acl);
}

static void root_may_do_everything_and_nobody_nothing(void **state)
{
    struct acl acl;
    char root_name[] = "root", gone_name[] = "gone";
    char *root[] = {root_name, NULL}, *none[] = {NULL}, *gone[] = {gone_name, NULL};
    struct err err;

    (void)state;
    assert_int_equal(acl_init(&acl, &err), 0);
    assert_int_equal(acl_capabilities(&acl, root, "any"), ACL_ROOT);
    assert_int_equal(acl_capabilities(&acl, none, "any"), 0);
    assert_int_equal(acl_capabilities(&acl, gone, "any"), 0);
    acl_done(&acl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_segments_and_the_rest),
        cmocka_unit_test(the_more_specific_pattern_counts),
        cmocka_unit_test(deny_beats_what_is_less_specific),
        cmocka_unit_test(same_path_in_two_blocks_adds_up),
        cmocka_unit_test(json_says_the_same_as_hcl),
        cmocka_unit_test(unknown_capability_is_refused_by_name),
        cmocka_unit_test(root_may_do_everything_and_nobody_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
