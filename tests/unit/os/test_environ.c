#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/environ.h"

static void expect(const char **made, const char *const *wanted)
{
    size_t n = 0;

    for (; wanted[n]; n++) {
        assert_non_null(made[n]);
        assert_string_equal(made[n], wanted[n]);
    }
    assert_null(made[n]);
    environ_free(made);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void what_is_dropped_passes_in_no_way(void **state)
{
    (void)state;
    expect(environ_build(LIST("A=1", "TOKEN=s.x", "B=2", "OTHER=s.y", "AB=4"), LIST("TOKEN", "OTHER"),
                         LIST("A=9", "TOKEN=s.z", "C=5", "TOKEN_FILE=/t")),
           LIST("B=2", "AB=4", "A=9", "C=5", "TOKEN_FILE=/t"));
}

static void of_one_name_the_last_addition_counts(void **state)
{
    (void)state;
    expect(environ_build(LIST("A=0"), NULL, LIST("A=1", "B=1", "A=2")), LIST("B=1", "A=2"));
}

static void nothing_is_an_environment_too(void **state)
{
    const char **made = environ_build(NULL, NULL, NULL);

    (void)state;
    assert_null(made[0]);
    environ_free(made);
    environ_free(NULL);
}

static void what_is_picked_is_described_and_not_denied(void **state)
{
    const char *const *base = LIST("A=1", "AB=2", "AC=3", "B=4", "A/B=5", "ODD");

    (void)state;
    expect(environ_pick(base, LIST("A*"), LIST("AC")), LIST("A=1", "AB=2"));
    expect(environ_pick(base, NULL, LIST("A*")), LIST("B=4", "A/B=5", "ODD"));
    expect(environ_pick(base, LIST("?B", "ODD"), NULL), LIST("AB=2", "ODD"));
    expect(environ_pick(base, (const char *const[]){NULL}, (const char *const[]){NULL}),
           LIST("A=1", "AB=2", "AC=3", "B=4", "A/B=5", "ODD"));
    expect(environ_pick(NULL, LIST("A"), NULL), (const char *const[]){NULL});
}

static void what_is_forgotten_leaves_the_environment_and_its_memory(void **state)
{
    static char first[] = "TOKEN=one", other[] = "TOKENS=kept", second[] = "TOKEN=two", bao[] = "OTHER=three";
    static char bare[] = "OTHER\0behind";
    char *made[] = {first, other, second, bao, bare, NULL}, **before = environ;

    (void)state;
    environ = made;
    environ_forget(LIST("TOKEN", "OTHER"));
    assert_ptr_equal(environ[0], other);
    assert_ptr_equal(environ[1], bare);
    assert_null(environ[2]);
    environ = before;
    assert_string_equal(other, "TOKENS=kept");
    assert_string_equal(bare + sizeof("OTHER"), "behind");
    for (size_t i = 0; i < sizeof("one"); i++)
        assert_true(!first[strlen("TOKEN=") + i] && !second[strlen("TOKEN=") + i]);
    for (size_t i = 0; i < sizeof("three"); i++)
        assert_int_equal(bao[strlen("OTHER=") + i], 0);
}

static void an_empty_variable_is_none(void **state)
{
    static char none[] = "NONE=", some[] = "SOME=a";
    char *made[] = {none, some, NULL}, **before = environ;

    (void)state;
    environ = made;
    assert_null(environ_get("NONE"));
    assert_null(environ_get("OTHER"));
    assert_string_equal(environ_get("SOME"), "a");
    environ = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_dropped_passes_in_no_way),
        cmocka_unit_test(of_one_name_the_last_addition_counts),
        cmocka_unit_test(nothing_is_an_environment_too),
        cmocka_unit_test(an_empty_variable_is_none),
        cmocka_unit_test(what_is_picked_is_described_and_not_denied),
        cmocka_unit_test(what_is_forgotten_leaves_the_environment_and_its_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
