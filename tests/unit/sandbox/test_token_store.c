#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "sandbox/token_store.h"

struct bench {
    struct loop *loop;
    struct lease_store leases;
    struct token_store tokens;
};

static void bench_open(struct bench *bench)
{
    struct err err;

    *bench = (struct bench){0};
    bench->loop = loop_new(&err);
    assert_non_null(bench->loop);
    bench->leases.loop = bench->tokens.loop = bench->loop;
    bench->tokens.leases = &bench->leases;
}

static void bench_close(struct bench *bench)
{
    token_store_done(&bench->tokens);
    assert_true(LIST_EMPTY(&bench->leases.list));
    loop_free(bench->loop);
}

static struct token *make(struct bench *bench, struct token_spec spec)
{
    _cleanup_buf_ struct buf warnings = {0};

    buf_init(&warnings, KIB(4));
    spec.path = "auth/token/create";
    spec.display_name = "token";
    return token_store_add(&bench->tokens, &spec, &warnings);
}

static struct lease *lend(struct bench *bench, const struct token *token)
{
    static const struct ttl_rules rules = {.ttl = 60};
    _cleanup_buf_ struct buf warnings = {0};

    buf_init(&warnings, KIB(4));
    return lease_store_add(&bench->leases, "database/creds/app", token, &rules, &warnings);
}

static void children_and_leases_go_with_their_token(void **state)
{
    struct bench bench;
    struct token *parent, *child;

    (void)state;
    bench_open(&bench);
    parent = make(&bench, (struct token_spec){.id = "parent"});
    child = make(&bench, (struct token_spec){.id = "child", .parent = parent});
    make(&bench, (struct token_spec){.id = "grandchild", .parent = child});
    make(&bench, (struct token_spec){.id = "orphan"});
    lend(&bench, child);
    token_store_revoke(parent);
    assert_true(LIST_EMPTY(&bench.leases.list));
    assert_null(token_store_find(&bench.tokens, "child"));
    assert_null(token_store_find(&bench.tokens, "grandchild"));
    assert_non_null(token_store_find(&bench.tokens, "orphan"));
    bench_close(&bench);
}

static void leases_of_others_stay(void **state)
{
    struct bench bench;
    struct token *one, *other;
    struct lease *kept;

    (void)state;
    bench_open(&bench);
    one = make(&bench, (struct token_spec){.id = "one"});
    other = make(&bench, (struct token_spec){.id = "other"});
    lend(&bench, one);
    kept = lend(&bench, other);
    token_store_revoke(one);
    assert_ptr_equal(LIST_FIRST(&bench.leases.list), kept);
    assert_ptr_equal(lease_store_find(&bench.leases, kept->id), kept);
    lease_store_revoke_prefix(&bench.leases, "database/creds/other");
    assert_non_null(LIST_FIRST(&bench.leases.list));
    lease_store_revoke_prefix(&bench.leases, "database/");
    assert_true(LIST_EMPTY(&bench.leases.list));
    bench_close(&bench);
}

static void uses_are_counted_down_to_the_last(void **state)
{
    struct bench bench;
    struct token *token;

    (void)state;
    bench_open(&bench);
    make(&bench, (struct token_spec){.id = "twice", .num_uses = 2});
    token_store_used(token_store_use(&bench.tokens, "twice"));
    token = token_store_use(&bench.tokens, "twice");
    assert_non_null(token);
    token_store_used(token);
    assert_null(token_store_use(&bench.tokens, "twice"));
    token_store_used(NULL);
    bench_close(&bench);
}

static void policies_are_sorted_once_each_with_default(void **state)
{
    struct val names[] = {val_cstr("b"), val_cstr("a"), val_cstr(""), val_cstr("b")}, list = val_list(names, ARRAY_LEN(names));
    struct val root = val_cstr("root"), roots = val_list(&root, 1);
    struct bench bench;
    struct token *token;

    (void)state;
    bench_open(&bench);
    token = make(&bench, (struct token_spec){.policies = &list});
    assert_string_equal(token->policies[0], "a");
    assert_string_equal(token->policies[1], "b");
    assert_string_equal(token->policies[2], "default");
    assert_null(token->policies[3]);
    token = make(&bench, (struct token_spec){.policies = &roots});
    assert_string_equal(token->policies[0], "root");
    assert_null(token->policies[1]);
    token = make(&bench, (struct token_spec){.no_default_policy = true});
    assert_null(token->policies[0]);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_and_leases_go_with_their_token),
        cmocka_unit_test(leases_of_others_stay),
        cmocka_unit_test(uses_are_counted_down_to_the_last),
        cmocka_unit_test(policies_are_sorted_once_each_with_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
