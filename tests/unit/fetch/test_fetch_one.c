/* One dep's life. */
#include "fetch_world.h"

static void kv_is_read_again_every_five_minutes_and_announced_only_when_it_differs(void **state)
{
    struct world *world = *state;

    new_token(world);
    want(world, DEP_READ, "secret/data/app");
    fake_loop_run(world->loop, HOUR);
    assert_in_range(count("secret/data/app"), 13, 15);
    assert_int_equal(world->changes, 1);
    vault.kv_version++;
    fake_loop_run(world->loop, 5 * MINUTE);
    assert_int_equal(world->changes, 2);
}

static void a_deletion_time_does_not_matter_while_data_is_served(void **state)
{
    struct world *world = *state;

    new_token(world);
    want(world, DEP_READ, "secret/data/app"); /* the fake's deletion_time is past */
    fake_loop_run(world->loop, SECOND);
    assert_int_equal(world->changes, 1);
}

static void a_lease_is_renewed_to_its_maximum_and_replaced_once_before_its_end(void **state)
{
    struct world *world = *state;
    int64_t start;

    vault.lease_max = 3600;
    new_token(world);
    want(world, DEP_READ, "db/creds/app");
    fake_loop_run(world->loop, SECOND);
    start = clock_now();
    fake_loop_run(world->loop, 45 * MINUTE);
    assert_int_equal(vault.leases, 1);
    assert_true(world->renewals >= 5);
    fake_loop_run(world->loop, start + HOUR - clock_now());
    assert_int_equal(vault.leases, 2);
    assert_true(vault.lease[1].born < vault.lease[0].end - 30 * SECOND);
    assert_int_equal(world->changes, 2);
}

static void a_failing_renewal_makes_exactly_one_new_credential_near_the_end(void **state)
{
    static const int statuses[] = {403, 500, 503, 400, 0};

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct world *world;
        int64_t start;

        teardown(state);
        setup(state);
        world = *state;
        new_token(world);
        want(world, DEP_READ, "db/creds/app");
        fake_loop_run(world->loop, SECOND);
        start = clock_now();
        fake_vault_fault("sys/leases/renew", statuses[i], -1);
        fake_loop_run(world->loop, 8 * MINUTE - SECOND);
        assert_int_equal(vault.leases, 1);
        assert_true(fake_vault_count("", start, CLOCK_NEVER) <= 10);
        fake_loop_run(world->loop, start + 10 * MINUTE + SECOND - clock_now());
        assert_int_equal(vault.leases, 2);
        assert_true(world->warnings <= 1);
    }
}

static void a_lease_that_the_server_forgot_is_read_again_once(void **state)
{
    struct world *world = *state;

    new_token(world);
    want(world, DEP_READ, "db/creds/app");
    fake_loop_run(world->loop, SECOND);
    vault.lease[0].end = 0;
    fake_loop_run(world->loop, 9 * MINUTE);
    assert_int_equal(vault.leases, 2);
    assert_int_equal(count("sys/leases/renew"), 1);
}

static void an_outage_shorter_than_the_lease_keeps_the_credential(void **state)
{
    struct world *world = *state;

    new_token(world);
    want(world, DEP_READ, "db/creds/app");
    fake_loop_run(world->loop, SECOND);
    fake_vault_fault("", 0, -1);
    fake_loop_run(world->loop, 9 * MINUTE + 40 * SECOND);
    fake_vault_heal();
    fake_loop_run(world->loop, MINUTE);
    assert_int_equal(vault.leases, 1);
    assert_int_equal(world->renewals, 1);
    assert_int_equal(world->errors, 0);
}

/* The most requests for a path that any minute from `start` on saw. */
static unsigned busiest_minute(const char *path, int64_t start)
{
    unsigned most = 0;

    for (int64_t at = start; at < clock_now(); at += MINUTE) {
        unsigned n = fake_vault_count(path, at, at + MINUTE);

        most = n > most ? n : most;
    }
    return most;
}

/* However long the lease: no storm before its end, and a last try right before it. */
static void a_failing_renewal_keeps_the_pace_and_its_last_try_comes_at_the_end(void **state)
{
    static const int64_t ttls[] = {60, 240, 900, 3600};

    for (size_t i = 0; i < ARRAY_LEN(ttls); i++) {
        static const char *const path = "sys/leases/renew";
        struct world *world;
        int64_t end, first;

        teardown(state);
        setup(state);
        world = *state;
        vault.lease_ttl = ttls[i];
        new_token(world);
        want(world, DEP_READ, "db/creds/app");
        fake_loop_run(world->loop, SECOND);
        end = vault.lease[0].end;
        fake_vault_fault(path, 503, -1);
        fake_loop_run(world->loop, end - SECOND - clock_now());
        for (first = 0; fake_vault_count(path, 0, first + 1) == 0;)
            first += SECOND;
        assert_in_range(fake_vault_count(path, first, first + MINUTE), 1, 12);
        assert_true(busiest_minute(path, first + MINUTE) <= 2);
        assert_true(fake_vault_count(path, end - 7 * SECOND, end) >= 1);
        assert_int_equal(vault.leases, 1);
    }
}

static void a_failing_secret_goes_down_the_ladder_and_then_slowly(void **state)
{
    struct world *world = *state;
    static const char *const paths[] = {"secret/data/missing", "secret/data/app"};
    int64_t start;

    new_token(world);
    fake_loop_run(world->loop, MINUTE);
    fake_vault_fault("secret/data/missing", 404, -1)->body = "{\"errors\":[]}";
    want_only(world, DEP_READ, paths, 2);
    start = clock_now();
    fake_loop_run(world->loop, 300 * SECOND);
    assert_int_equal(world->exhausted, 0);
    fake_loop_run(world->loop, 40 * SECOND);
    assert_int_equal(world->exhausted, 1);
    assert_in_range(world->exhausted_at - start, 303 * SECOND, 306 * SECOND); /* the originals: 303.75 s */
    fake_loop_run(world->loop, 2 * HOUR);
    assert_int_equal(world->exhausted, 1);
    assert_true(fake_vault_count("secret/data/missing", start, start + MINUTE) <= 12);
    assert_true(busiest_minute("secret/data/missing", start + MINUTE) <= 2);
    assert_int_equal(world->error.code, ERR_MISSING);
    assert_non_null(answer_to(world, DEP_READ, "secret/data/app"));
    fake_vault_heal();
    fake_loop_run(world->loop, 70 * SECOND);
    assert_true(fetch_complete(world->fetch));
    assert_int_equal(world->recoveries, 1);
}

static void a_secret_that_was_mended_is_read_within_half_a_minute(void **state)
{
    static const int statuses[] = {403, 404, 400, 500, 503, 0};

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct world *world;

        teardown(state);
        setup(state);
        world = *state;
        make_fetch(world, &(struct fetch_options){.ladder.retries = 3});
        new_token(world);
        fake_vault_fault("secret/data/app", statuses[i], -1);
        want(world, DEP_READ, "secret/data/app");
        fake_loop_run(world->loop, 5 * MINUTE);
        fake_vault_heal();
        fake_loop_run(world->loop, 34 * SECOND);
        assert_int_equal(world->changes, 1);
    }
}

/* As long as the originals' HTTP client, which tries a server that does not answer thrice each time, and not longer where it does
 * answer. */
static void what_is_exhausted_is_so_when_the_originals_would_say_so(void **state)
{
    static const struct {
        int status, retries, from_s, to_s;
    } rows[] = {{500, -1, 3, 5}, {0, -1, 3, 5},  {404, -1, 0, 1}, {500, 5, 25, 32}, {0, 5, 25, 32},     {429, 5, 25, 32},
                {404, 5, 7, 9},  {400, 5, 7, 9}, {501, 5, 7, 9},  {403, 5, 7, 18},  {503, 0, 340, 356}, {404, 0, 303, 306}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world *world;
        int64_t start;

        teardown(state);
        setup(state);
        world = *state;
        make_fetch(world, &(struct fetch_options){.ladder.retries = rows[i].retries});
        fake_vault_fault("secret/data/app", rows[i].status, -1);
        new_token(world);
        start = clock_now();
        want(world, DEP_READ, "secret/data/app");
        fake_loop_run(world->loop, HOUR);
        assert_int_equal(world->exhausted, 1);
        assert_in_range(world->exhausted_at - start, rows[i].from_s * SECOND, rows[i].to_s * SECOND);
        assert_true(fake_vault_count("secret/data/app", start, start + MINUTE) <= 12);
    }
}

static void a_restart_of_ten_seconds_exhausts_nothing(void **state)
{
    struct world *world = *state;

    make_fetch(world, &(struct fetch_options){.ladder.retries = 5});
    fake_vault_fault("secret/data/app", 0, -1);
    new_token(world);
    want(world, DEP_READ, "secret/data/app");
    fake_loop_run(world->loop, 10 * SECOND);
    fake_vault_heal();
    fake_loop_run(world->loop, MINUTE);
    assert_int_equal(world->exhausted, 0);
    assert_int_equal(world->changes, 1);
}

static void a_write_to_kv2_is_wrapped_at_the_first_try(void **state)
{
    struct world *world = *state;

    new_token(world);
    want(world, DEP_WRITE, "secret/data/app");
    fake_loop_run(world->loop, MINUTE);
    assert_int_equal(fake_vault_count("secret/data/app", 0, CLOCK_NEVER), 1);
    assert_string_equal(vault.last_body, "{\"data\":{\"a\":\"b\"}}");
}

static void a_write_to_be_wrapped_has_the_clients_own_ttl(void **state)
{
    struct world *world = *state;

    new_token(world);
    want(world, DEP_WRITE, "sys/wrapping/wrap");
    fake_loop_run(world->loop, SECOND);
    assert_string_equal(vault.last_wrap_ttl, "5m");
}

static void a_403_right_after_the_login_is_tried_again_before_it_counts(void **state)
{
    struct world *world = *state;

    fake_vault_fault("secret/data/app", 403, 3);
    new_token(world);
    want(world, DEP_READ, "secret/data/app");
    fake_loop_run(world->loop, 5 * SECOND);
    assert_int_equal(world->errors + world->suspects, 0);
    assert_int_equal(world->changes, 1);
}

static void a_403_later_raises_suspicion_and_keeps_the_answer(void **state)
{
    struct world *world = *state;

    new_token(world);
    want(world, DEP_READ, "secret/data/app");
    fake_loop_run(world->loop, MINUTE);
    fake_vault_fault("secret/data/app", 403, -1);
    fake_loop_run(world->loop, 10 * MINUTE);
    assert_true(world->suspects >= 1);
    assert_non_null(answer_to(world, DEP_READ, "secret/data/app"));
    fake_vault_heal();
    new_token(world);
    fake_loop_run(world->loop, SECOND);
    assert_int_equal(world->changes, 1);
}

static void a_role_that_is_being_rotated_is_asked_again_with_patience(void **state)
{
    struct world *world = *state;

    new_token(world);
    want(world, DEP_READ, "db/static-creds/app");
    fake_loop_run(world->loop, 3 * SECOND);
    assert_int_equal(world->changes, 0);
    assert_true(vault.arrival_count <= 5);
    vault.static_ttl = 30;
    fake_loop_run(world->loop, 5 * SECOND);
    assert_int_equal(world->changes, 1);
    vault.arrival_count = 0;
    fake_loop_run(world->loop, 5 * MINUTE);
    assert_in_range(vault.arrival_count, 9, 10); /* ttl + 1 s exactly */
}

static void a_write_without_an_answer_is_done_once(void **state)
{
    struct world *world = *state;

    fake_vault_fault("kv1/w", 204, -1)->body = "";
    new_token(world);
    want(world, DEP_WRITE, "kv1/w");
    fake_loop_run(world->loop, DAY);
    assert_int_equal(count("kv1/w"), 1);
    assert_int_equal(world->changes, 1);
    assert_int_equal(answer_to(world, DEP_WRITE, "kv1/w")->reply.kind, VAL_NULL);
}

/* In JSON it is six times as large. */
static void a_write_that_does_not_fit_is_not_sent_and_told(void **state)
{
    struct world *world = *state;
    size_t len = LIMIT_REPLY_BYTES / 6 + 1;
    _cleanup_free_ char *text = mem_alloc(len + 3);
    struct dep *dep;
    struct err err;

    memcpy(text, "a=", 2);
    memset(text + 2, '\001', len);
    dep = dep_of(DEP_WRITE, "kv1/w", text);
    new_token(world);
    assert_int_equal(fetch_want(world->fetch, dep, &err), 0);
    fetch_settle(world->fetch);
    fake_loop_run(world->loop, MINUTE);
    assert_int_equal(count("kv1/w"), 0);
    assert_int_equal(world->changes, 0);
    assert_null(store_get(world->store, dep));
    assert_int_equal(world->error.code, ERR_LIMIT);
    assert_non_null(strstr(world->error.text, "what is written: more than"));
    dep_unref(dep);
}

static void a_folder_that_is_not_there_is_an_empty_list(void **state)
{
    struct world *world = *state;
    const struct secret *secret;

    new_token(world);
    want(world, DEP_LIST, "nowhere/x");
    fake_loop_run(world->loop, SECOND);
    secret = answer_to(world, DEP_LIST, "nowhere/x");
    assert_non_null(secret);
    assert_int_equal(secret->reply.kind, VAL_LIST);
    assert_int_equal(secret->reply.list.len, 0);
}

static void retry_after_is_honoured(void **state)
{
    struct world *world = *state;

    fake_vault_fault("secret/data/app", 429, 1)->retry_after = 90;
    new_token(world);
    want(world, DEP_READ, "secret/data/app");
    fake_loop_run(world->loop, 89 * SECOND);
    assert_int_equal(vault.arrival_count, 1);
    fake_loop_run(world->loop, 15 * SECOND);
    assert_int_equal(world->changes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(kv_is_read_again_every_five_minutes_and_announced_only_when_it_differs),
        TEST(a_deletion_time_does_not_matter_while_data_is_served),
        TEST(a_lease_is_renewed_to_its_maximum_and_replaced_once_before_its_end),
        TEST(a_failing_renewal_makes_exactly_one_new_credential_near_the_end),
        TEST(a_lease_that_the_server_forgot_is_read_again_once),
        TEST(an_outage_shorter_than_the_lease_keeps_the_credential),
        TEST(a_failing_renewal_keeps_the_pace_and_its_last_try_comes_at_the_end),
        TEST(a_failing_secret_goes_down_the_ladder_and_then_slowly),
        TEST(a_secret_that_was_mended_is_read_within_half_a_minute),
        TEST(what_is_exhausted_is_so_when_the_originals_would_say_so),
        TEST(a_restart_of_ten_seconds_exhausts_nothing),
        TEST(a_write_to_kv2_is_wrapped_at_the_first_try),
        TEST(a_write_to_be_wrapped_has_the_clients_own_ttl),
        TEST(a_403_right_after_the_login_is_tried_again_before_it_counts),
        TEST(a_403_later_raises_suspicion_and_keeps_the_answer),
        TEST(a_role_that_is_being_rotated_is_asked_again_with_patience),
        TEST(a_write_without_an_answer_is_done_once),
        TEST(a_write_that_does_not_fit_is_not_sent_and_told),
        TEST(a_folder_that_is_not_there_is_an_empty_list),
        TEST(retry_after_is_honoured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
