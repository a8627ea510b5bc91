/*
 * fetch_world: fetch and what stands around it (store, client, a small Vault), for the tests of fetch and of fetch_one. Included
 * once.
 */
#ifndef TESTS_FETCH_WORLD_H
#define TESTS_FETCH_WORLD_H

#include "support/fake_world.c"

#include <stdlib.h>
#include <unistd.h>

#include "fetch/dep_list.h"
#include "fetch/fetch.h"

struct world {
    struct loop *loop;
    struct client *client;
    struct store *store;
    struct fetch *fetch;
    struct token *token;
    unsigned changes, errors, exhausted, suspects, worked, recoveries, warnings, renewals;
    int64_t exhausted_at;
    struct err error;
    struct dep_list wanted; /* by the last want_only() */
    bool want_more;         /* on_change asks for something else */
};

static inline struct dep *dep_of(enum dep_kind kind, const char *path, const char *arg)
{
    struct val value = val_cstr(arg ? arg : "");
    struct dep *dep;
    struct err err;

    assert_int_equal(dep_new(kind, str_of(path), &value, arg ? 1 : 0, NULL, &dep, &err), 0);
    return dep;
}

static inline void want_only(struct world *world, enum dep_kind kind, const char *const *paths, size_t count)
{
    struct dep_list before = world->wanted;
    struct err err;

    world->wanted = (struct dep_list){0};
    for (size_t i = 0; i < count; i++) {
        struct dep *dep = dep_of(kind, paths[i], kind == DEP_WRITE ? "a=b" : NULL);

        if (!dep_list_has(&world->wanted, dep))
            assert_int_equal(fetch_want(world->fetch, dep, &err), 0);
        dep_list_add(&world->wanted, dep);
        dep_unref(dep);
    }
    for (size_t i = 0; i < before.len; i++)
        fetch_release(world->fetch, before.items[i]);
    dep_list_clear(&before);
    fetch_settle(world->fetch);
}

static inline void want(struct world *world, enum dep_kind kind, const char *path)
{
    want_only(world, kind, &path, 1);
}

static inline void on_change(void *ctx, const struct dep *dep)
{
    struct world *world = ctx;

    (void)dep;
    world->changes++;
    if (world->want_more)
        want(world, DEP_READ, "secret/data/other");
}

static inline void on_error(void *ctx, const struct fetch_failure *failure)
{
    struct world *world = ctx;

    assert_true(failure->attempt > 0 && failure->dep->key && failure->again_ms > 0);
    assert_null(strstr(failure->err->text, "canary"));
    world->errors++;
    world->exhausted += failure->exhausted;
    if (failure->exhausted)
        world->exhausted_at = clock_now();
    world->error = *failure->err;
}

static inline void on_recovery(void *ctx, const struct dep *dep, int64_t after_ms)
{
    (void)dep;
    assert_true(after_ms >= 0);
    ((struct world *)ctx)->recoveries++;
}

static inline void on_suspect(void *ctx, bool worked)
{
    ((struct world *)ctx)->suspects++;
    ((struct world *)ctx)->worked += worked;
}

static inline void on_warning(void *ctx, const char *text)
{
    (void)text;
    ((struct world *)ctx)->warnings++;
}

static inline void on_renewed(void *ctx, const struct dep *dep)
{
    (void)dep;
    ((struct world *)ctx)->renewals++;
}

static inline void make_fetch(struct world *world, const struct fetch_options *options)
{
    struct fetch_events events = {world, on_change, on_error, on_recovery, on_suspect, on_warning, on_renewed};

    if (world->fetch)
        fetch_free(world->fetch);
    dep_list_clear(&world->wanted);
    world->fetch = fetch_new(world->loop, world->client, world->store, options, &events);
}

static int setup(void **state)
{
    struct world *world = mem_alloc(sizeof(*world));
    struct client_options client = {.http = {.address = "http://vault:8200"}};
    struct err err;

    fake_vault_reset();
    fake_http_serve = fake_vault_serve;
    vault.token_ttl = 30 * 86400;
    world->loop = loop_new(&err);
    assert_int_equal(client_new(world->loop, &client, &world->client, &err), 0);
    world->store = store_new();
    make_fetch(world, &(struct fetch_options){0});
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    fetch_free(world->fetch);
    dep_list_clear(&world->wanted);
    store_free(world->store);
    client_free(world->client);
    loop_free(world->loop);
    token_free(world->token);
    mem_free(world);
    return 0;
}

/* What auth does after a login. */
static inline void new_token(struct world *world)
{
    struct reply reply;
    struct fake_answer answer = {0};
    struct err err;

    buf_init(&answer.body, 4096);
    serve_login(&answer);
    assert_int_equal(reply_parse(&reply, 200, answer.body.data, answer.body.len, "login", &err), 0);
    token_free(world->token);
    assert_int_equal(token_from_auth(&reply, false, clock_now(), &world->token, &err), 0);
    assert_int_equal(client_set_token(world->client, world->token->value, &err), 0);
    fetch_token(world->fetch, world->token);
    reply_done(&reply);
    buf_done(&answer.body);
}

static inline const struct secret *answer_to(struct world *world, enum dep_kind kind, const char *path)
{
    struct dep *dep = dep_of(kind, path, kind == DEP_WRITE ? "a=b" : NULL);
    const struct secret *secret = store_get(world->store, dep);

    dep_unref(dep);
    return secret;
}

static inline unsigned count(const char *path)
{
    return fake_vault_count(path, 0, CLOCK_NEVER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
