#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/launched.h"

#include "flow/helper.h"

static char said[256];
static struct err why;

static void on_told(void *ctx, const struct told *told)
{
    (void)ctx;
    why = told->err ? *told->err : (struct err){0};
    snprintf(said, sizeof(said), "%.*s", (int)told->body.len, told->body.data);
    loop_stop(loop);
}

static struct val kerberos_options(struct val_pair pairs[5])
{
    pairs[0] = (struct val_pair){VAL_KEY("keytab_path"), val_cstr("/k")};
    pairs[1] = (struct val_pair){VAL_KEY("krb5conf_path"), val_cstr("/c")};
    pairs[2] = (struct val_pair){VAL_KEY("realm"), val_cstr("EXAMPLE.ORG")};
    pairs[3] = (struct val_pair){VAL_KEY("service"), val_cstr("HTTP/vault")};
    pairs[4] = (struct val_pair){VAL_KEY("username"), val_cstr("anna")};
    return val_map(pairs, 5);
}

static void only_some_methods_need_one(void **state)
{
    (void)state;
    assert_true(helper_needed(&(struct config_method){.type = "kerberos"}));
    assert_false(helper_needed(&(struct config_method){.type = "jwt"}));
    assert_false(helper_needed(&(struct config_method){.type = ""}));
}

/* Beside this test there is none. */
static void one_that_is_not_there_is_refused_with_a_way_out(void **state)
{
    struct val_pair pairs[5];
    const struct config_method method = {.type = "kerberos", .config = kerberos_options(pairs)};
    int number = 7;

    (void)state;
    assert_int_equal(helper_add(launcher, &method, plain_env, &number, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
    assert_non_null(strstr(err.text, "auto_auth.method \"kerberos\": ampule-kerberos is neither in "));
    assert_non_null(strstr(err.text, "--target ampule-kerberos"));
    assert_int_equal(number, 7);
}

static void run(unsigned program)
{
    struct helper *helper = helper_new(loop, launcher, program, on_told, NULL);

    helper_start(helper);
    assert_int_equal(loop_run(loop, &err), 0);
    helper_free(helper);
}

static void what_it_prints_is_told_and_else_its_reason(void **state)
{
    unsigned good = add_line("echo Negotiate abc"), bad = add_line("echo no such KDC; echo more; exit 1"),
             dumb = add_line("exit 3");

    (void)state;
    start_launcher(NULL);
    run(good);
    assert_int_equal(why.code, ERR_NONE);
    assert_string_equal(said, "Negotiate abc\n");
    run(bad);
    assert_int_equal(why.code, ERR_RETRY);
    assert_string_equal(why.text, "no such KDC");
    run(dumb);
    assert_string_equal(why.text, "exec \"sh\": exit status 3");
}

static void one_that_is_cancelled_says_nothing(void **state)
{
    unsigned slow = add_line("sleep 60"), quick = add_line("echo now");
    struct helper *helper;

    (void)state;
    start_launcher(NULL);
    helper = helper_new(loop, launcher, slow, on_told, NULL);
    helper_start(helper);
    helper_cancel(helper);
    helper_free(helper);
    run(quick);
    assert_string_equal(said, "now\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(only_some_methods_need_one),
        TEST(one_that_is_not_there_is_refused_with_a_way_out),
        TEST(what_it_prints_is_told_and_else_its_reason),
        TEST(one_that_is_cancelled_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
