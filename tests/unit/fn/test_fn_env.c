#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/limits.h"
#include "fn/functions.h"
#include "go/typed.h"
#include "tpl/func.h"
#include "tpl/tpl.h"

/* What the embedder was asked for last. */
struct asked {
    char path[64], args[256];
    size_t argc;
};

static int on_secret(void *ctx, struct str path, const struct val *args, size_t argc, struct arena *arena, struct val *ret,
                     struct err *err)
{
    struct asked *asked = ctx;

    (void)arena, (void)err;
    snprintf(asked->path, sizeof(asked->path), "%s", path.data);
    asked->argc = argc;
    asked->args[0] = '\0';
    for (size_t i = 0; i < argc; i++) {
        size_t len = strlen(asked->args);
        snprintf(asked->args + len, sizeof(asked->args) - len, "[%.*s]", (int)args[i].s.len, args[i].s.data);
    }
    *ret = val_cstr("answer");
    return 0;
}

static int on_path(void *ctx, struct str path, struct arena *arena, struct val *ret, struct err *err)
{
    (void)arena, (void)err;
    snprintf(((struct asked *)ctx)->path, sizeof(((struct asked *)ctx)->path), "%s", path.data);
    *ret = val_null();
    return 0;
}

static const char *on_getenv(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "HOME") == 0 ? "/root" : NULL;
}

struct fixture {
    struct arena arena;
    struct asked asked;
    struct tpl_env env;
    struct err err;
    struct val ret;
};

static int set_up(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof(*fixture));

    arena_init(&fixture->arena, MIB(1), "test");
    fixture->env = (struct tpl_env){.ctx = &fixture->asked,
                                    .secret = on_secret,
                                    .secrets = on_path,
                                    .pki_cert = on_secret,
                                    .file = on_path,
                                    .getenv = on_getenv};
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    arena_done(&fixture->arena);
    mem_free(fixture);
    return 0;
}

static int run(struct fixture *fixture, const char *name, size_t argc, const struct val *argv)
{
    struct call call = {
        .name = name, .arena = &fixture->arena, .env = &fixture->env, .argv = argv, .argc = argc, .err = &fixture->err};

    return functions_find(str_of(name))->body(&call, &fixture->ret);
}

static void secret_without_arguments_is_nil(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(run(fixture, "secret", 0, NULL), 0);
    assert_true(val_is_nil(&fixture->ret));
    assert_string_equal(fixture->asked.path, "");
}

static void secret_trims_its_path(void **state)
{
    struct fixture *fixture = *state;
    const struct val args[] = {val_cstr("\t /kv/app// ")};

    assert_int_equal(run(fixture, "secret", 1, args), 0);
    assert_string_equal(fixture->asked.path, "kv/app");
    assert_int_equal(fixture->asked.argc, 0);
}

static void secret_trims_its_pairs_and_keeps_an_empty_one(void **state)
{
    struct fixture *fixture = *state;
    const struct val args[] = {val_cstr("p"), val_cstr(" ttl = 5m = x "), val_cstr(""), val_cstr("=")};

    assert_int_equal(run(fixture, "secret", 4, args), 0);
    assert_string_equal(fixture->asked.args, "[ttl=5m = x][][=]");
    assert_int_equal(run(fixture, "pkiCert", 2, args), 0);
    assert_string_equal(fixture->asked.args, "[ttl=5m = x]");
}

static void a_pair_needs_an_equals_sign(void **state)
{
    struct fixture *fixture = *state;
    const struct val args[] = {val_cstr("p"), val_cstr("a\"b")};

    assert_int_equal(run(fixture, "secret", 2, args), -1);
    assert_string_equal(fixture->err.text, "not k=v pair \"a\\\"b\"");
}

static void data_that_is_not_there_is_the_empty_value_of_its_type(void **state)
{
    struct fixture *fixture = *state;
    const struct val args[] = {val_cstr(" kv/ ")};

    assert_int_equal(run(fixture, "secrets", 1, args), 0);
    assert_string_equal(fixture->asked.path, "kv");
    assert_int_equal(fixture->ret.kind, VAL_LIST);
    assert_int_equal(fixture->ret.type, GO_T_STRINGS);
    assert_int_equal(run(fixture, "file", 1, args), 0);
    assert_string_equal(fixture->asked.path, "kv/");
    assert_int_equal(fixture->ret.kind, VAL_STRING);
    assert_int_equal(fixture->ret.s.len, 0);
}

static void env_is_empty_for_what_is_not_set(void **state)
{
    struct fixture *fixture = *state;
    const struct val home[] = {val_cstr("HOME")}, nope[] = {val_cstr("NOPE")};

    assert_int_equal(run(fixture, "env", 1, home), 0);
    assert_string_equal(fixture->ret.s.data, "/root");
    assert_int_equal(run(fixture, "env", 1, nope), 0);
    assert_int_equal(fixture->ret.s.len, 0);
}

static void what_the_embedder_does_not_offer_is_an_error(void **state)
{
    static const char *const names[] = {"secret", "secrets", "pkiCert", "file", "env"};
    struct fixture *fixture = *state;
    const struct val args[] = {val_cstr("x")};

    fixture->env = (struct tpl_env){0};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(run(fixture, names[i], 1, args), -1);
        assert_string_equal(fixture->err.text, "not available here");
    }
}

static void indent_and_printf_end_at_the_limit_of_output(void **state)
{
    struct fixture *fixture = *state;
    const struct val indent[] = {val_int(INT64_MAX), val_cstr("a\nb")},
                     printf_args[] = {val_cstr("%999999[1]s%999999[1]s"), val_cstr("x")};

    assert_int_equal(run(fixture, "indent", 2, indent), -1);
    assert_int_equal(fixture->err.code, ERR_LIMIT);
    fixture->err.code = ERR_NONE;
    assert_int_equal(run(fixture, "printf", 2, printf_args), -1); /* fits the text, not this arena */
    assert_int_equal(fixture->err.code, ERR_LIMIT);
}

static void a_secret_pattern_is_not_shown(void **state)
{
    static const char *const names[] = {"regexMatch", "sprig_mustRegexFind", "sprig_regexFind"};
    const struct val args[] = {val_cstr("hunter2("), val_cstr("text")};
    struct fixture *fixture = *state;

    fixture->env.redact = true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(run(fixture, names[i], 2, args), -1);
        assert_non_null(strstr(fixture->err.text, "missing closing ): [redacted]"));
        assert_null(strstr(fixture->err.text, "hunter2"));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(secret_without_arguments_is_nil),
        TEST(secret_trims_its_path),
        TEST(secret_trims_its_pairs_and_keeps_an_empty_one),
        TEST(a_pair_needs_an_equals_sign),
        TEST(data_that_is_not_there_is_the_empty_value_of_its_type),
        TEST(env_is_empty_for_what_is_not_set),
        TEST(what_the_embedder_does_not_offer_is_an_error),
        TEST(indent_and_printf_end_at_the_limit_of_output),
        TEST(a_secret_pattern_is_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
