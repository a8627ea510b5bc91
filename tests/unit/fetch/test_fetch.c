#include "fetch_world.h"

static void nothing_is_asked_before_there_is_a_token(void **state)
{
    struct world *world = *state;

    want(world, DEP_READ, "secret/data/app");
    fake_loop_run(world->loop, DAY);
    assert_int_equal(vault.arrival_count, 0);
    new_token(world);
    assert_int_equal(world->changes, 0); /* never from inside a call */
    fake_loop_run(world->loop, SECOND);
    assert_int_equal(world->changes, 1);
    assert_true(fetch_complete(world->fetch));
}

static void twenty_secrets_are_read_at_once_with_one_request_each(void **state)
{
    struct world *world = *state;
    char text[20][32];
    const char *paths[40];

    for (size_t i = 0; i < 20; i++) {
        snprintf(text[i], sizeof(text[i]), "secret/data/app%zu", i);
        paths[i] = paths[20 + i] = text[i];
    }
    new_token(world);
    want_only(world, DEP_READ, paths, 40);
    fake_loop_run(world->loop, 2 * FAKE_HTTP_LATENCY_MS);
    assert_int_equal(world->changes, 20);
    assert_int_equal(vault.arrival_count, 20);
}

static void a_path_without_data_asks_the_mount_table_once_for_all(void **state)
{
    struct world *world = *state;
    static const char *const paths[] = {"secret/a", "secret/b", "secret/config", "kv1/x", "kv1/y"};

    new_token(world);
    want_only(world, DEP_READ, paths, ARRAY_LEN(paths));
    fake_loop_run(world->loop, SECOND);
    assert_int_equal(world->changes, 5);
    assert_int_equal(count("sys/internal/ui/mounts/"), 2);
    assert_int_equal(count("secret/data/config"), 1);
    assert_int_equal(count("kv1/"), 2);
}

static void a_mount_question_that_times_out_is_asked_again(void **state)
{
    struct world *world = *state;

    fake_vault_fault("sys/internal/ui/mounts/", 0, 1);
    new_token(world);
    want(world, DEP_READ, "secret/app");
    fake_loop_run(world->loop, 2 * SECOND);
    assert_int_equal(world->errors, 1);
    assert_int_equal(world->changes, 1);
    assert_int_equal(count("secret/app"), 0);
    assert_int_equal(count("secret/data/app"), 1);
}

static void a_refused_path_with_data_in_it_asks_the_mount_table_once(void **state)
{
    struct world *world = *state;

    new_token(world);
    fake_loop_run(world->loop, 10 * SECOND);
    fake_vault_fault("secret/x/data/y", 403, -1);
    want(world, DEP_READ, "secret/x/data/y");
    fake_loop_run(world->loop, SECOND);
    assert_int_equal(count("secret/data/x/data/y"), 1);
    assert_int_equal(world->changes, 1);
    assert_int_equal(world->errors, 0);
}

static void a_new_token_reads_only_what_the_old_one_had_leased(void **state)
{
    struct world *world = *state;
    static const char *const paths[] = {"secret/data/app", "db/creds/app", "kv1/x"};
    int64_t from;

    new_token(world);
    want_only(world, DEP_READ, paths, ARRAY_LEN(paths));
    fake_loop_run(world->loop, MINUTE);
    from = clock_now();
    new_token(world);
    fake_loop_run(world->loop, SECOND);
    assert_int_equal(fake_vault_count("", from, CLOCK_NEVER), 1);
    assert_int_equal(fake_vault_count("db/creds/app", from, CLOCK_NEVER), 1);
    assert_int_equal(world->changes, 4);
    fake_loop_run(world->loop, HOUR);
    assert_true(strstr(answer_to(world, DEP_READ, "db/creds/app")->lease.id, "/1") != NULL);
}

static void whoever_is_in_a_hurry_need_not_wait(void **state)
{
    struct world *world = *state;

    new_token(world);
    fake_vault_fault("secret/data/app", 404, -1);
    want(world, DEP_READ, "secret/data/app");
    fake_loop_run(world->loop, 5 * MINUTE);
    fake_vault_heal();
    fetch_hurry(world->fetch);
    fake_loop_run(world->loop, SECOND);
    assert_int_equal(world->changes, 1);
    vault.arrival_count = 0;
    fetch_hurry(world->fetch); /* what does not fail is left alone */
    fake_loop_run(world->loop, SECOND);
    assert_int_equal(vault.arrival_count, 0);
}

/* Somebody's script sends a signal after each of many files: that is no storm of requests. */
static void a_hurry_of_many_is_a_try_a_second(void **state)
{
    struct world *world = *state;

    new_token(world);
    fake_vault_fault("secret/data/app", 404, -1);
    want(world, DEP_READ, "secret/data/app");
    fake_loop_run(world->loop, 5 * MINUTE);
    vault.arrival_count = 0;
    for (int i = 0; i < 200; i++) {
        fetch_hurry(world->fetch);
        fake_loop_run(world->loop, 5);
    }
    assert_in_range(vault.arrival_count, 1, 2);
    fake_loop_run(world->loop, 2 * SECOND);
    fake_vault_heal();
    fetch_hurry(world->fetch);
    fake_loop_run(world->loop, 2 * SECOND);
    assert_int_equal(world->changes, 1);
}

static void what_is_not_wanted_any_more_is_forgotten_and_not_renewed(void **state)
{
    struct world *world = *state;
    int64_t from;

    new_token(world);
    want(world, DEP_READ, "db/creds/app");
    fake_loop_run(world->loop, MINUTE);
    world->want_more = true;
    want(world, DEP_READ, "secret/data/app"); /* its own on_change asks for something else again */
    assert_null(answer_to(world, DEP_READ, "db/creds/app"));
    fake_loop_run(world->loop, MINUTE);
    assert_null(answer_to(world, DEP_READ, "secret/data/app"));
    from = clock_now();
    fake_loop_run(world->loop, HOUR);
    assert_int_equal(fake_vault_count("sys/leases/renew", from, CLOCK_NEVER), 0);
    assert_int_equal(count("secret/data/app"), 1);
}

/* Two templates name it; one of them goes, then the other. */
static void what_is_wanted_twice_is_released_twice(void **state)
{
    struct world *world = *state;
    struct dep *dep = dep_of(DEP_READ, "secret/data/app", NULL);
    struct err err;

    new_token(world);
    assert_int_equal(fetch_want(world->fetch, dep, &err), 0);
    assert_int_equal(fetch_want(world->fetch, dep, &err), 0);
    fetch_settle(world->fetch);
    fake_loop_run(world->loop, SECOND);
    assert_int_equal(count("secret/data/app"), 1);
    fetch_release(world->fetch, dep);
    fetch_settle(world->fetch);
    assert_non_null(store_get(world->store, dep));
    /* Released and wanted again before it is settled: nothing has happened. */
    fetch_release(world->fetch, dep);
    assert_int_equal(fetch_want(world->fetch, dep, &err), 0);
    fetch_settle(world->fetch);
    fake_loop_run(world->loop, SECOND);
    assert_non_null(store_get(world->store, dep));
    assert_int_equal(count("secret/data/app"), 1);
    fetch_release(world->fetch, dep);
    fetch_settle(world->fetch);
    assert_null(store_get(world->store, dep));
    fetch_release(world->fetch, dep); /* it is not known any more */
    dep_unref(dep);
}

static void the_budget_holds_when_everything_fails_at_once(void **state)
{
    struct world *world = *state;
    static char text[500][32];
    static const char *paths[500];
    int64_t from;

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        snprintf(text[i], sizeof(text[i]), "secret/data/app%zu", i);
        paths[i] = text[i];
    }
    fake_vault_fault("", 500, -1);
    new_token(world);
    want_only(world, DEP_READ, paths, ARRAY_LEN(paths));
    fake_loop_run(world->loop, SECOND);
    from = clock_now();
    fake_loop_run(world->loop, 10 * MINUTE);
    assert_true(fake_vault_count("", from, CLOCK_NEVER) <= 20 + 10 * 600);
}

static void stopping_ends_all_requests_and_keeps_the_answers(void **state)
{
    struct world *world = *state;

    new_token(world);
    want(world, DEP_READ, "secret/data/app");
    fake_loop_run(world->loop, SECOND);
    fetch_stop(world->fetch);
    fake_loop_run(world->loop, DAY);
    assert_int_equal(vault.arrival_count, 1);
    assert_non_null(answer_to(world, DEP_READ, "secret/data/app"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_asked_before_there_is_a_token),
        TEST(twenty_secrets_are_read_at_once_with_one_request_each),
        TEST(a_path_without_data_asks_the_mount_table_once_for_all),
        TEST(a_mount_question_that_times_out_is_asked_again),
        TEST(a_refused_path_with_data_in_it_asks_the_mount_table_once),
        TEST(a_new_token_reads_only_what_the_old_one_had_leased),
        TEST(whoever_is_in_a_hurry_need_not_wait),
        TEST(a_hurry_of_many_is_a_try_a_second),
        TEST(what_is_not_wanted_any_more_is_forgotten_and_not_renewed),
        TEST(what_is_wanted_twice_is_released_twice),
        TEST(the_budget_holds_when_everything_fails_at_once),
        TEST(stopping_ends_all_requests_and_keeps_the_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
