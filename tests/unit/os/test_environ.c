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

static void environment_is_built_without_tokens(void **state)
{
    const char *const base[] = {"A=1", "VAULT_TOKEN=s.x", "B=2", "BAO_TOKEN=s.y", "SECRET=3", "AB=4", NULL};
    const char **made = environ_build(base, (const char *const[]){"SECRET", NULL}, (const char *const[]){"A=9", "C=5", NULL});

    (void)state;
    assert_string_equal(made[0], "B=2");
    assert_string_equal(made[1], "AB=4");
    assert_string_equal(made[2], "A=9");
    assert_string_equal(made[3], "C=5");
    assert_null(made[4]);
    environ_free(made);
}

static void tokens_pass_in_no_way(void **state)
{
    (void)state;
    expect(environ_build(NULL, NULL, LIST("VAULT_TOKEN=s.x", "A=1", "BAO_TOKEN=s.y", "VAULT_TOKEN_FILE=/t")), LIST("A=1", "VAULT_TOKEN_FILE=/t"));
}

static void of_one_name_the_last_addition_counts(void **state)
{
    (void)state;
    expect(environ_build(LIST("A=0"), NULL, LIST("A=1", "B=1", "A=2")), LIST("B=1", "A=2"));
}

static void what_is_dropped_may_be_added_again(void **state)
{
    (void)state;
    expect(environ_build(LIST("A=0", "AA=0"), LIST("A", "B"), LIST("A=1")), LIST("AA=0", "A=1"));
}

static void nothing_is_an_environment_too(void **state)
{
    const char **made = environ_build(NULL, NULL, NULL);

    (void)state;
    assert_null(made[0]);
    environ_free(made);
    environ_free(NULL);
}

static void tokens_leave_the_environment_and_its_memory(void **state)
{
    static char first[] = "VAULT_TOKEN=one", other[] = "VAULT_TOKENS=kept", second[] = "VAULT_TOKEN=two", bao[] = "BAO_TOKEN=three";
    static char bare[] = "BAO_TOKEN\0behind";
    char *made[] = {first, other, second, bao, bare, NULL}, **before = environ;

    (void)state;
    environ = made;
    environ_forget_tokens();
    assert_ptr_equal(environ[0], other);
    assert_ptr_equal(environ[1], bare);
    assert_null(environ[2]);
    environ = before;
    assert_string_equal(other, "VAULT_TOKENS=kept");
    assert_string_equal(bare + sizeof("BAO_TOKEN"), "behind");
    for (size_t i = 0; i < sizeof("one"); i++)
        assert_true(!first[strlen("VAULT_TOKEN=") + i] && !second[strlen("VAULT_TOKEN=") + i]);
    for (size_t i = 0; i < sizeof("three"); i++)
        assert_int_equal(bao[strlen("BAO_TOKEN=") + i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environment_is_built_without_tokens),
        cmocka_unit_test(tokens_pass_in_no_way),
        cmocka_unit_test(of_one_name_the_last_addition_counts),
        cmocka_unit_test(what_is_dropped_may_be_added_again),
        cmocka_unit_test(nothing_is_an_environment_too),
        cmocka_unit_test(tokens_leave_the_environment_and_its_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
