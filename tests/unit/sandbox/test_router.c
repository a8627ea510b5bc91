#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"
#include "sandbox/engines.h"
#include "sandbox/router.h"
#include "sandbox/seed.h"

struct bench {
    struct loop *loop;
    struct core core;
};

static void bench_open(struct bench *bench, const char *seed)
{
    struct err err;

    bench->loop = loop_new(&err);
    assert_non_null(bench->loop);
    assert_int_equal(core_init(&bench->core, bench->loop, &engines, "root", &err), 0);
    if (seed_load(&bench->core, seed, strlen(seed), "seed.yaml", &err) < 0)
        fail_msg("%s", err.text);
}

static void bench_close(struct bench *bench)
{
    core_done(&bench->core);
    loop_free(bench->loop);
}

static const char *version_param(void *ctx, const char *name)
{
    return strcmp(name, "version") ? NULL : ctx;
}

/* The body of the answer to `token`; the status in *ret_status. */
static char *ask_as(struct bench *bench, const char *token, enum op op, const char *path, const char *json, const char *version,
                    int *ret_status)
{
    _cleanup_arena_ struct arena arena = {0};
    _cleanup_buf_ struct buf out = {0};
    struct val body = {0};
    struct err err;
    _cleanup_call_ struct call call = {.core = &bench->core,
                                       .op = op,
                                       .path = path,
                                       .token_id = token,
                                       .body = &body,
                                       .arena = &arena,
                                       .param = version_param,
                                       .param_ctx = (void *)version};

    arena_init(&arena, LIMIT_REPLY_TREE_BYTES, "test");
    buf_init(&out, LIMIT_REPLY_BYTES);
    if (json)
        assert_int_equal(json_read(json, strlen(json), NULL, &arena, &body, &err), 0);
    *ret_status = router_run(&call);
    call_body(&call, *ret_status, &out);
    return buf_take(&out);
}

static char *ask(struct bench *bench, enum op op, const char *path, const char *json, const char *version, int *ret_status)
{
    return ask_as(bench, "root", op, path, json, version, ret_status);
}

static void expect(struct bench *bench, enum op op, const char *path, const char *json, const char *version, int status,
                   const char *contains)
{
    int is;
    _cleanup_free_ char *body = ask(bench, op, path, json, version, &is);

    if (is != status || !strstr(body, contains))
        fail_msg("%s: status %d: %s", path, is, body);
}

static void numbers_keep_their_spelling(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, "mounts: {kv: {type: kv, version: 2}}");
    expect(&bench, OP_WRITE, "kv/data/n", "{\"data\":{\"price\":1.50,\"big\":12345678901234567890}}", NULL, 200, "\"version\":1");
    expect(&bench, OP_READ, "kv/data/n", NULL, NULL, 200, "{\"big\":12345678901234567890,\"price\":1.50}");
    bench_close(&bench);
}

static void oldest_version_goes_when_there_are_too_many(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, "mounts: {kv: {type: kv, version: 2}}");
    for (int i = 0; i < 11; i++)
        expect(&bench, OP_WRITE, "kv/data/n", "{\"data\":{\"a\":\"b\"}}", NULL, 200, "version");
    expect(&bench, OP_READ, "kv/data/n", NULL, NULL, 200, "\"version\":11");
    expect(&bench, OP_READ, "kv/data/n", NULL, "2", 200, "\"version\":2");
    expect(&bench, OP_READ, "kv/data/n", NULL, "1", 404, "\"errors\":[]");
    bench_close(&bench);
}

static void check_and_set_wants_the_current_version(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, "mounts: {kv: {type: kv, version: 2}}");
    expect(&bench, OP_WRITE, "kv/data/n", "{\"data\":{\"a\":\"b\"},\"options\":{\"cas\":0}}", NULL, 200, "");
    expect(&bench, OP_WRITE, "kv/data/n", "{\"data\":{\"a\":\"b\"},\"options\":{\"cas\":0}}", NULL, 400,
           "did not match the current version");
    bench_close(&bench);
}

static void folders_are_listed_once(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, "mounts: {kv: {type: kv}}\nsecrets: {kv/a: {x: y}, kv/b/c: {x: y}, kv/b/d: {x: y}, kv/b: {x: y}}");
    expect(&bench, OP_LIST, "kv/", NULL, NULL, 200, "{\"keys\":[\"a\",\"b\",\"b/\"]}");
    expect(&bench, OP_LIST, "kv/b/", NULL, NULL, 200, "{\"keys\":[\"c\",\"d\"]}");
    expect(&bench, OP_LIST, "kv/none/", NULL, NULL, 404, "\"errors\":[]");
    bench_close(&bench);
}

static void the_example_can_be_loaded(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, seed_example());
    expect(&bench, OP_READ, "secret/data/app", NULL, NULL, 200, "alice");
    expect(&bench, OP_READ, "database/creds/app", NULL, NULL, 200, "\"lease_id\":\"database/creds/app/");
    bench_close(&bench);
}

static void a_bad_seed_is_named_with_its_line(void **state)
{
    static const char seed[] = "mounts:\n  kv: {type: nonesuch}\n";
    struct bench bench;
    struct err err;

    (void)state;
    bench_open(&bench, "{}");
    assert_int_equal(seed_load(&bench.core, seed, strlen(seed), "seed.yaml", &err), -1);
    assert_non_null(strstr(err.text, "seed.yaml:2:"));
    assert_non_null(strstr(err.text, "nonesuch"));
    bench_close(&bench);
}

static void sealed_box_answers_503(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, seed_example());
    expect(&bench, OP_WRITE, "sys/seal", NULL, NULL, 204, "");
    expect(&bench, OP_READ, "secret/data/app", NULL, NULL, 503, "Vault is sealed");
    expect(&bench, OP_READ, "sys/health", NULL, NULL, 503, "\"sealed\":true");
    expect(&bench, OP_WRITE, "sys/unseal", "{\"key\":\"wrong\"}", NULL, 400, "errors");
    bench_close(&bench);
}

static void removed_mount_takes_its_leases_along(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, seed_example());
    expect(&bench, OP_READ, "database/creds/app", NULL, NULL, 200, "lease_id");
    assert_false(LIST_EMPTY(&bench.core.leases.list));
    expect(&bench, OP_DELETE, "sys/mounts/database", NULL, NULL, 204, "");
    assert_true(LIST_EMPTY(&bench.core.leases.list));
    bench_close(&bench);
}

/* The lease goes with the token, before the answer is written. */
static void the_last_use_of_a_token_lends_nothing(void **state)
{
    struct bench bench;
    int status;

    (void)state;
    bench_open(&bench, seed_example());
    expect(&bench, OP_WRITE, "auth/token/create", "{\"id\":\"twice\",\"policies\":[\"demo\"],\"num_uses\":2}", NULL, 200,
           "twice");
    for (int i = 0; i < 2; i++) {
        _cleanup_free_ char *body = ask_as(&bench, "twice", OP_READ, "database/creds/app", NULL, NULL, &status);

        if (status != (i ? 400 : 200) || !strstr(body, i ? "Secret cannot be returned; token had one use left" : "lease_id"))
            fail_msg("use %d: status %d: %s", i + 1, status, body);
    }
    assert_true(LIST_EMPTY(&bench.core.leases.list));
    bench_close(&bench);
}

/* As ask() of root, of a body with `count` bytes in the place of "%s". */
static void expect_large(struct bench *bench, enum op op, const char *path, const char *format, size_t count, int status,
                         const char *contains)
{
    _cleanup_free_ char *large = mem_alloc(count + 1), *json = mem_alloc(count + 256);

    memset(large, 'x', count);
    snprintf(json, count + 256, format, large);
    expect(bench, op, path, json, NULL, status, contains);
}

static void what_does_not_fit_is_refused_and_told(void **state)
{
    static const char one[] = "{\"data\":{\"a\":\"%s\"}}", bare[] = "{\"a\":\"%s\"}";
    struct bench bench;

    (void)state;
    bench_open(&bench, "mounts: {kv: {type: kv, version: 2}, old: {type: kv, version: 1}}");
    expect(&bench, OP_WRITE, "kv/data/n", "{\"data\":{\"a\":\"kept\"}}", NULL, 200, "\"version\":1");
    expect_large(&bench, OP_WRITE, "kv/data/n", one, LIMIT_REPLY_BYTES, 413, "secret: more than 8388608 bytes");
    expect_large(&bench, OP_PATCH, "kv/data/n", one, LIMIT_REPLY_BYTES, 413, "secret: more than 8388608 bytes");
    expect(&bench, OP_READ, "kv/data/n", NULL, NULL, 200, "{\"a\":\"kept\"}");
    expect_large(&bench, OP_WRITE, "kv/data/new", one, LIMIT_REPLY_BYTES, 413, "secret: more than 8388608 bytes");
    expect(&bench, OP_LIST, "kv/metadata/", NULL, NULL, 200, "{\"keys\":[\"n\"]}");
    expect_large(&bench, OP_WRITE, "kv/metadata/n", "{\"custom_metadata\":{\"a\":\"%s\"}}", KIB(64), 400,
                 "custom_metadata: more than 65536 bytes");
    expect_large(&bench, OP_WRITE, "old/n", bare, LIMIT_REPLY_BYTES, 204, "");
    expect(&bench, OP_READ, "old/n", NULL, NULL, 500, "answer: more than 8388608 bytes");
    bench_close(&bench);
}

static void tokens_are_made_of_what_fits(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, seed_example());
    expect_large(&bench, OP_WRITE, "auth/token/create", "{\"meta\":{\"a\":\"%s\"}}", KIB(64), 400, "meta: more than 65536 bytes");
    expect_large(&bench, OP_WRITE, "auth/token/create", "{\"display_name\":\"%s\"}", KIB(4), 400,
                 "display_name: more than 4096 bytes");
    expect_large(&bench, OP_WRITE, "auth/token/create", "{\"policies\":[\"%s\"]}", KIB(8), 200, "xxx...");
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_keep_their_spelling),
        cmocka_unit_test(oldest_version_goes_when_there_are_too_many),
        cmocka_unit_test(check_and_set_wants_the_current_version),
        cmocka_unit_test(folders_are_listed_once),
        cmocka_unit_test(the_example_can_be_loaded),
        cmocka_unit_test(a_bad_seed_is_named_with_its_line),
        cmocka_unit_test(sealed_box_answers_503),
        cmocka_unit_test(removed_mount_takes_its_leases_along),
        cmocka_unit_test(the_last_use_of_a_token_lends_nothing),
        cmocka_unit_test(what_does_not_fit_is_refused_and_told),
        cmocka_unit_test(tokens_are_made_of_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
