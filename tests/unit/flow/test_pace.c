/* auth and fetch together, as sidecar ties them: how many requests a server sees whatever it refuses, and how soon a new login
 * comes. */
#include "support/fake_world.c"

#include <unistd.h>

#include "fetch/fetch.h"
#include "flow/auth.h"

struct world {
    struct loop *loop;
    struct client *client;
    struct store *store;
    struct fetch *fetch;
    struct auth *auth;
    char token_path[64];
    unsigned changes, errors;
};

static void on_token(void *ctx, const struct token *token)
{
    fetch_token(((struct world *)ctx)->fetch, token);
}

static void on_failure(void *ctx, const struct err *err, int64_t again_ms)
{
    (void)ctx, (void)err, (void)again_ms;
}

static void on_warning(void *ctx, const char *text)
{
    (void)ctx, (void)text;
}

static void on_change(void *ctx, const struct dep *dep)
{
    (void)dep;
    ((struct world *)ctx)->changes++;
}

static void on_error(void *ctx, const struct fetch_failure *failure)
{
    (void)failure;
    ((struct world *)ctx)->errors++;
}

static void on_recovery(void *ctx, const struct dep *dep, int64_t after_ms)
{
    (void)ctx, (void)dep, (void)after_ms;
}

static void on_suspect(void *ctx, bool worked)
{
    auth_suspect(((struct world *)ctx)->auth, worked);
}

static void on_up(void *ctx, int64_t after_ms)
{
    (void)after_ms;
    fetch_up(((struct world *)ctx)->fetch);
}

static void make(struct world *world, int64_t interval_ms)
{
    struct val_pair pairs[] = {{VAL_KEY("role"), val_cstr("app")}, {VAL_KEY("token_path"), val_cstr(world->token_path)}};
    struct val config = val_map(pairs, 2);
    struct config_method options = {.type = "kubernetes", .config = config};
    struct auth_events auth_events = {world, on_token, on_failure, on_warning, NULL};
    struct fetch_options fetch_options = {.static_interval_ms = interval_ms};
    struct fetch_events fetch_events = {world, on_change, on_error, on_recovery, on_suspect, on_warning, NULL};
    struct client_options client = {.http = {.address = "http://vault:8200"}, .on_up = on_up, .ctx = world};
    struct err err;

    assert_int_equal(client_new(world->loop, &client, &world->client, &err), 0);
    assert_int_equal(auth_new(world->loop, world->client, &options, &auth_events, &world->auth, &err), 0);
    world->fetch = fetch_new(world->loop, world->client, world->store, &fetch_options, &fetch_events);
}

static int setup(void **state)
{
    struct world *world = mem_alloc(sizeof(*world));
    struct err err;
    FILE *f;

    fake_vault_reset();
    fake_http_serve = fake_vault_serve;
    world->loop = loop_new(&err);
    world->store = store_new();
    snprintf(world->token_path, sizeof(world->token_path), "/tmp/ampule-test-pace-%d", (int)getpid());
    f = fopen(world->token_path, "w");
    assert_non_null(f);
    fputs("service-account-token\n", f);
    fclose(f);
    make(world, 2 * SECOND);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    fetch_free(world->fetch);
    auth_free(world->auth);
    store_free(world->store);
    client_free(world->client);
    loop_free(world->loop);
    unlink(world->token_path);
    mem_free(world);
    return 0;
}

static void want(struct world *world, const char *const *paths, size_t count)
{
    struct err err;
    struct dep *dep;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(dep_new(DEP_READ, str_of(paths[i]), NULL, 0, NULL, &dep, &err), 0);
        assert_int_equal(fetch_want(world->fetch, dep, &err), 0);
        dep_unref(dep);
    }
    fetch_settle(world->fetch);
    auth_start(world->auth);
}

static unsigned logins(void)
{
    return fake_vault_count("auth/kubernetes/login", 0, CLOCK_NEVER);
}

static void whatever_is_refused_twelve_requests_are_enough_for_the_first_minute(void **state)
{
    static const struct {
        const char *path[3];
        int status;
        bool terse;
    } rows[] = {
        {{"secret/"}, 403, false},
        {{"secret/", "sys/"}, 403, true},
        {{"secret/", "sys/", "auth/token/"}, 403, false},
        {{"secret/"}, 404, false},
        {{"secret/"}, 400, false},
        {{"secret/", "sys/", "auth/token/"}, 500, false},
        {{"secret/", "sys/", "auth/token/"}, 0, false},
    };
    static const char *const paths[] = {"secret/data/app", "secret/app"};

    for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
        struct world *world;

        teardown(state);
        setup(state);
        world = *state;
        vault.terse = rows[i / 2].terse;
        for (size_t k = 0; k < ARRAY_LEN(rows[0].path) && rows[i / 2].path[k]; k++)
            fake_vault_fault(rows[i / 2].path[k], rows[i / 2].status, -1)->body =
                vault.terse ? "{\"errors\":[\"permission denied\"]}"
                            : "{\"errors\":[\"2 errors: permission denied, invalid token\"]}";
        want(world, &paths[i % 2], 1);
        fake_loop_run(world->loop, MINUTE);
        assert_true(vault.arrival_count <= 14);
        assert_true(fake_vault_count(paths[i % 2], 0, CLOCK_NEVER) <= 12);
        vault.arrival_count = 0;
        fake_loop_run(world->loop, 10 * MINUTE);
        assert_true(fake_vault_count(paths[i % 2], 0, CLOCK_NEVER) <= 22);
    }
}

/* Revoked again and again, whatever the server says of it and whether or not the policy allows lookup-self. */
static void a_revoked_token_is_replaced_every_time(void **state)
{
    static const char *const path = "secret/data/app";

    for (unsigned how = 0; how < 4; how++) {
        struct world *world;

        teardown(state);
        setup(state);
        world = *state;
        vault.terse = how & 1;
        vault.no_lookup = how & 2;
        want(world, &path, 1);
        fake_loop_run(world->loop, 10 * SECOND);
        for (unsigned n = 1; n <= 4; n++) {
            assert_int_equal(logins(), n);
            vault.revoked = true;
            fake_loop_run(world->loop, 20 * SECOND);
            assert_int_equal(logins(), n + 1);
            vault.kv_version++;
            world->changes = 0;
            fake_loop_run(world->loop, 40 * SECOND);
            assert_int_equal(world->changes, 1);
        }
    }
}

/* It was last read with the token before: that is as long ago as the server lets it be. */
static void a_revoked_token_is_replaced_though_it_was_never_used_for_what_is_refused(void **state)
{
    static const char *const path = "db/static-creds/app";
    struct world *world = *state;

    vault.terse = vault.no_lookup = true;
    vault.renewable = false;
    vault.static_ttl = 2 * 3600;
    want(world, &path, 1);
    fake_loop_run(world->loop, 10 * SECOND);
    for (unsigned i = 0; i < 3; i++) { /* the first time that lookup-self says nothing is not known yet */
        unsigned before;

        fake_loop_run(world->loop, 2 * HOUR - 2 * MINUTE);
        before = logins();
        vault.revoked = true;
        fake_loop_run(world->loop, 2 * MINUTE);
        assert_int_equal(logins(), before + 1);
        assert_int_equal(fake_vault_count(path, clock_now() - MINUTE, clock_now()), 2);
    }
}

/* One login to be sure, and no more. */
static void a_policy_that_was_narrowed_costs_one_login(void **state)
{
    static const char *const paths[] = {"secret/data/app", "secret/data/lost"};

    for (unsigned how = 0; how < 4; how++) {
        struct world *world;

        teardown(state);
        setup(state);
        world = *state;
        vault.terse = how & 1;
        vault.no_lookup = how & 2;
        want(world, paths, 2);
        fake_loop_run(world->loop, 10 * SECOND);
        fake_vault_fault("secret/data/lost", 403, -1)->body = "{\"errors\":[\"permission denied\"]}";
        fake_loop_run(world->loop, HOUR / 2);
        assert_true(logins() <= 3);
        assert_true(vault.no_lookup || logins() == 1);
    }
}

/* Behind a proxy that has lost one backend: the others' answers are no news for it. */
static void a_path_without_a_server_is_not_hurried_by_what_works(void **state)
{
    static const char *const paths[] = {"secret/data/app", "secret/data/lost"};
    struct world *world = *state;
    int64_t from;

    fake_vault_fault("secret/data/lost", 502, -1);
    want(world, paths, 2);
    fake_loop_run(world->loop, MINUTE);
    assert_true(fake_vault_count("secret/data/lost", 0, CLOCK_NEVER) <= 12);
    from = clock_now();
    fake_loop_run(world->loop, 10 * MINUTE);
    assert_in_range(fake_vault_count("secret/data/lost", from, CLOCK_NEVER), 15, 20);
    assert_true(fake_vault_count("secret/data/app", from, CLOCK_NEVER) > 200);
}

static void a_token_of_few_uses_is_replaced_at_once_and_the_mounts_are_remembered(void **state)
{
    struct world *world = *state;
    static const char *const path = "secret/app";
    unsigned reads;

    vault.uses = 4;
    want(world, &path, 1);
    fake_loop_run(world->loop, 40 * SECOND);
    reads = fake_vault_count("secret/data/app", 0, CLOCK_NEVER);
    assert_true(reads >= 18);
    assert_in_range(logins(), 5, 8);
    assert_int_equal(fake_vault_count("secret/app", 0, CLOCK_NEVER), 0);
    assert_int_equal(fake_vault_count("auth/token/", 0, CLOCK_NEVER), 0);
    assert_int_equal(fake_vault_count("sys/", 0, CLOCK_NEVER), 1);
    assert_int_equal(world->errors, 0);
}

static void more_secrets_than_uses_are_all_read(void **state)
{
    struct world *world = *state;
    static char text[20][32];
    static const char *paths[20];

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        snprintf(text[i], sizeof(text[i]), "secret/data/app%zu", i);
        paths[i] = text[i];
    }
    vault.uses = 4;
    fetch_free(world->fetch);
    auth_free(world->auth);
    client_free(world->client);
    make(world, HOUR);
    want(world, paths, ARRAY_LEN(paths));
    fake_loop_run(world->loop, 20 * SECOND);
    assert_true(fetch_complete(world->fetch));
}

static void one_use_and_a_secret_that_is_forbidden_are_no_storm(void **state)
{
    struct world *world = *state;
    static const char *const path = "secret/data/app";

    vault.uses = 1;
    fake_vault_fault("secret/data/app", 403, -1)->body = "{\"errors\":[\"permission denied\"]}";
    want(world, &path, 1);
    fake_loop_run(world->loop, 10 * MINUTE);
    assert_true(vault.arrival_count <= 80);
    assert_true(logins() <= 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(whatever_is_refused_twelve_requests_are_enough_for_the_first_minute),
        TEST(a_revoked_token_is_replaced_every_time),
        TEST(a_revoked_token_is_replaced_though_it_was_never_used_for_what_is_refused),
        TEST(a_policy_that_was_narrowed_costs_one_login),
        TEST(a_path_without_a_server_is_not_hurried_by_what_works),
        TEST(a_token_of_few_uses_is_replaced_at_once_and_the_mounts_are_remembered),
        TEST(more_secrets_than_uses_are_all_read),
        TEST(one_use_and_a_secret_that_is_forbidden_are_no_storm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
