#include "support/fake_world.c"

#include <stdlib.h>
#include <unistd.h>

#include "flow/auth.h"

struct world {
    struct loop *loop;
    struct client *client;
    struct auth *auth;
    char token_path[64];
    unsigned tokens, failures, warnings, renewals, stops;
    bool fatal;
    char failure[ERR_TEXT_MAX], warning[ERR_TEXT_MAX];
};

static void on_token(void *ctx, const struct token *token)
{
    struct world *world = ctx;

    world->tokens++;
    assert_non_null(token->value);
}

static void on_failure(void *ctx, const struct err *err, int64_t again_ms)
{
    struct world *world = ctx;

    world->failures++;
    world->fatal = again_ms == AUTH_NOT_AGAIN;
    assert_true(world->fatal || again_ms > 0);
    memcpy(world->failure, err->text, sizeof(world->failure));
}

static void on_warning(void *ctx, const char *text)
{
    struct world *world = ctx;

    world->warnings++;
    snprintf(world->warning, sizeof(world->warning), "%s", text);
}

static void on_renewed(void *ctx, const struct token *token)
{
    (void)token;
    ((struct world *)ctx)->renewals++;
}

static void on_stopped(void *ctx)
{
    ((struct world *)ctx)->stops++;
}

static void write_token(struct world *world, const char *text)
{
    FILE *f = fopen(world->token_path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void make_auth_in(struct world *world, bool exit_on_err, const char *wrap_ttl, const char *namespace)
{
    struct val_pair pairs[] = {{VAL_KEY("role"), val_cstr("app")}, {VAL_KEY("token_path"), val_cstr(world->token_path)}};
    struct val config = val_map(pairs, 2);
    struct config_method options = {
        .type = "kubernetes", .config = config, .exit_on_err = exit_on_err, .wrap_ttl = wrap_ttl, .namespace = namespace};
    struct auth_events events = {world, on_token, on_failure, on_warning, on_renewed};
    struct client_options client = {.http = {.address = "http://vault:8200"}, .namespace = "apps/"};
    struct err err;

    assert_int_equal(client_new(world->loop, &client, &world->client, &err), 0);
    assert_int_equal(auth_new(world->loop, world->client, &options, &events, &world->auth, &err), 0);
}

static void make_auth(struct world *world, bool exit_on_err, const char *wrap_ttl)
{
    make_auth_in(world, exit_on_err, wrap_ttl, NULL);
}

static int setup(void **state)
{
    struct world *world = mem_alloc(sizeof(*world));
    struct err err;

    fake_vault_reset();
    fake_http_serve = fake_vault_serve;
    world->loop = loop_new(&err);
    snprintf(world->token_path, sizeof(world->token_path), "/tmp/ampule-test-auth-%d", (int)getpid());
    write_token(world, "service-account-token\n");
    make_auth(world, false, NULL);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    auth_free(world->auth);
    client_free(world->client);
    loop_free(world->loop);
    unlink(world->token_path);
    mem_free(world);
    return 0;
}

/* Logged in at a known time. */
static int64_t begin(struct world *world)
{
    auth_start(world->auth);
    fake_loop_run(world->loop, 1 * SECOND);
    assert_int_equal(world->tokens, 1);
    return clock_now();
}

static unsigned count(const char *path)
{
    return fake_vault_count(path, 0, CLOCK_NEVER);
}

static int64_t first_at(const char *path)
{
    size_t i = 0;

    while (i < vault.arrival_count && strcmp(vault.arrivals[i].path, path) != 0)
        i++;
    assert_true(i < vault.arrival_count);
    return vault.arrivals[i].at;
}

/* The most requests that any minute saw from `start` on. */
static unsigned busiest_minute(int64_t start, int64_t end)
{
    unsigned most = 0;

    for (int64_t at = start; at < end; at += MINUTE) {
        unsigned n = fake_vault_count("", at, at + MINUTE);

        most = n > most ? n : most;
    }
    return most;
}

static void a_login_takes_one_request_and_is_not_followed_by_a_renewal(void **state)
{
    struct world *world = *state;

    begin(world);
    fake_loop_run(world->loop, 30 * MINUTE);
    assert_int_equal(vault.arrival_count, 1);
    assert_string_equal(vault.arrivals[0].token, "");
    assert_true(client_has_token(world->client));
}

static void a_token_is_renewed_at_two_thirds_and_logged_in_anew_before_its_maximum(void **state)
{
    struct world *world = *state;
    int64_t start = begin(world);

    vault.token_max = 3 * 3600;
    fake_loop_run(world->loop, 45 * MINUTE);
    assert_int_equal(count("auth/token/renew-self"), 1);
    assert_int_equal(world->renewals, 1);
    fake_loop_run(world->loop, start + 3 * HOUR - clock_now());
    assert_int_equal(count("auth/kubernetes/login"), 2);
    assert_true(vault.token_born > start + 2 * HOUR && vault.token_born < start + 3 * HOUR - 4 * MINUTE);
    assert_int_equal(world->failures + world->warnings, 0);
}

static void forbidden_renewals_cause_no_storm_and_one_warning(void **state)
{
    struct world *world = *state;
    int64_t first;

    begin(world);
    fake_vault_fault("auth/token/renew-self", 403, -1)->body = "{\"errors\":[\"1 error occurred: permission denied\"]}";
    fake_loop_run(world->loop, 12 * HOUR);
    first = first_at("auth/token/renew-self");
    assert_true(fake_vault_count("", first, first + MINUTE) <= 10);
    assert_true(busiest_minute(first + MINUTE, clock_now()) <= 3); /* renewal, lookup, login: one of each a lifetime */
    assert_int_equal(world->warnings, 1);
    assert_non_null(strstr(world->warning, "renew-self"));
    assert_in_range(count("auth/kubernetes/login"), 12, 16);
    assert_true(client_has_token(world->client));
}

static void every_way_to_fail_a_renewal_is_paced(void **state)
{
    static const struct {
        int status;
        const char *body;
    } ways[] = {
        {500, NULL}, {503, "{\"errors\":[\"Vault is sealed\"]}"}, {429, ""}, {0, ""}, {200, "<html>"}, {200, "{}"}, {204, ""},
        {400, ""}};

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct world *world;
        int64_t from;

        teardown(state);
        setup(state);
        world = *state;
        begin(world);
        fake_vault_fault("auth/token/renew-self", ways[i].status, -1)->body = ways[i].body;
        fake_loop_run(world->loop, 39 * MINUTE);
        from = clock_now();
        fake_loop_run(world->loop, 21 * MINUTE);
        assert_true(fake_vault_count("auth/token/renew-self", from, CLOCK_NEVER) <= 25);
        assert_true(fake_vault_count("", from, from + 3 * MINUTE) <= 10);
        assert_true(busiest_minute(from + 3 * MINUTE, clock_now()) <=
                    3); /* a renewal; the last one, and a login when the server answers */
        assert_true(client_has_token(world->client));
        fake_loop_run(world->loop, 5 * MINUTE);
        assert_non_null(auth_token(world->auth));
    }
}

static void tokens_that_have_ended_when_they_come_are_asked_for_slowly(void **state)
{
    struct world *world = *state;
    int64_t start = clock_now();

    vault.token_ttl = 2;
    vault.login_ms = 3000;
    auth_start(world->auth);
    fake_loop_run(world->loop, HOUR);
    assert_int_equal(world->tokens, 0);
    assert_string_equal(world->failure, "the token had ended when it came: raise token_ttl of the role");
    assert_true(busiest_minute(start + 10 * MINUTE, clock_now()) <= 2);
}

static void an_outage_shorter_than_the_token_keeps_the_token(void **state)
{
    struct world *world = *state;

    begin(world);
    fake_vault_fault("", 0, -1);
    /* Near the end it is tried once a sixtieth of the hour: two of them are left. */
    fake_loop_run(world->loop, 58 * MINUTE);
    fake_vault_heal();
    fake_loop_run(world->loop, 10 * MINUTE);
    assert_int_equal(count("auth/kubernetes/login"), 1);
    assert_int_equal(world->tokens, 1);
    assert_int_equal(world->renewals, 1);
    assert_true(client_has_token(world->client));
}

static void a_long_outage_ends_in_one_new_login(void **state)
{
    struct world *world = *state;
    int64_t from;

    begin(world);
    fake_vault_fault("", 503, -1);
    fake_loop_run(world->loop, 2 * HOUR);
    from = clock_now();
    assert_false(client_has_token(world->client));
    assert_true(fake_vault_count("", from - HOUR, from) <= 40);
    fake_vault_heal();
    fake_loop_run(world->loop, 10 * MINUTE);
    assert_int_equal(world->tokens, 2);
    assert_int_equal(fake_vault_count("auth/kubernetes/login", from, CLOCK_NEVER), 1);
}

static void a_revoked_token_is_found_by_one_lookup_and_replaced_by_one_login(void **state)
{
    struct world *world = *state;

    begin(world);
    fake_loop_run(world->loop, 10 * MINUTE);
    vault.revoked = true;
    for (int i = 0; i < 20; i++)
        auth_suspect(world->auth, false);
    fake_loop_run(world->loop, 10 * SECOND);
    assert_int_equal(count("auth/token/lookup-self"), 1);
    assert_int_equal(count("auth/kubernetes/login"), 2);
    assert_int_equal(world->tokens, 2);
    assert_int_equal(world->warnings, 1);
}

static void a_good_token_under_suspicion_is_kept_and_not_asked_about_again_at_once(void **state)
{
    struct world *world = *state;

    begin(world);
    for (int i = 0; i < 29; i++) {
        auth_suspect(world->auth, false);
        fake_loop_run(world->loop, 1 * SECOND);
    }
    assert_int_equal(count("auth/token/lookup-self"), 1);
    fake_loop_run(world->loop, 41 * MINUTE);
    assert_int_equal(count("auth/kubernetes/login"), 1);
    fake_loop_run(world->loop, 4 * MINUTE);
    assert_int_equal(world->renewals, 1);
}

static void a_policy_without_lookup_self_does_not_cause_a_login_a_suspicion(void **state)
{
    struct world *world = *state;

    begin(world);
    fake_vault_fault("auth/token/lookup-self", 403, -1)->body = "{\"errors\":[\"permission denied\"]}";
    fake_loop_run(world->loop, 2 * MINUTE);
    for (int i = 0; i < 60; i++) {
        auth_suspect(world->auth, false);
        fake_loop_run(world->loop, 20 * SECOND);
    }
    assert_true(count("auth/kubernetes/login") <= 2);
    assert_true(client_has_token(world->client));
}

static void logins_that_fail_back_off_and_succeed_later(void **state)
{
    struct world *world = *state;
    int64_t start = clock_now();

    fake_vault_fault("auth/kubernetes/login", 403, -1)->body =
        "{\"errors\":[\"service account name not authorized\", \"canary\"]}";
    auth_start(world->auth);
    fake_loop_run(world->loop, HOUR);
    assert_in_range(fake_vault_count("", start, start + MINUTE), 4, 10);
    assert_true(busiest_minute(start + MINUTE, clock_now()) <= 2);
    assert_in_range(vault.arrival_count, 15, 40);
    assert_string_equal(world->failure, "role \"app\": PUT auth/kubernetes/login (namespace \"apps\"): "
                                        "403 permission denied: service account name not authorized");
    assert_false(world->fatal);
    fake_vault_heal();
    fake_loop_run(world->loop, 6 * MINUTE);
    assert_int_equal(world->tokens, 1);
}

static void exit_on_err_ends_at_the_first_failure(void **state)
{
    struct world *world = *state;

    auth_free(world->auth);
    client_free(world->client);
    make_auth(world, true, NULL);
    fake_vault_fault("", 204, -1)->body = "";
    auth_start(world->auth);
    fake_loop_run(world->loop, HOUR);
    assert_int_equal(world->failures, 1);
    assert_true(world->fatal);
    assert_int_equal(vault.arrival_count, 1);
}

static void retry_after_is_honoured(void **state)
{
    struct world *world = *state;

    fake_vault_fault("auth/kubernetes/login", 429, 1)->retry_after = 120;
    auth_start(world->auth);
    fake_loop_run(world->loop, 119 * SECOND);
    assert_int_equal(vault.arrival_count, 1);
    fake_loop_run(world->loop, 20 * SECOND);
    assert_int_equal(world->tokens, 1);
}

static void the_service_account_token_is_read_at_every_login(void **state)
{
    struct world *world = *state;

    unlink(world->token_path);
    auth_start(world->auth);
    fake_loop_run(world->loop, 2 * MINUTE);
    assert_int_equal(vault.arrival_count, 0);
    assert_true(world->failures > 3);
    write_token(world, "rotated");
    fake_loop_run(world->loop, 3 * MINUTE);
    assert_int_equal(world->tokens, 1);
}

static void a_login_that_says_zero_seconds_is_no_storm(void **state)
{
    static const char *const durations[] = {"0", "-1", "17179869184000", "1e30", "\"60\"", "1.5"};

    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        struct world *world;
        char login[256], lookup[] = "{\"data\":{\"ttl\":0,\"expire_time\":\"2020-01-01T00:00:00Z\"}}";

        teardown(state);
        setup(state);
        world = *state;
        snprintf(login, sizeof(login), "{\"auth\":{\"client_token\":\"t\",\"renewable\":true,\"lease_duration\":%s}}",
                 durations[i]);
        fake_vault_fault("auth/kubernetes/login", 200, -1)->body = login;
        fake_vault_fault("auth/token/lookup-self", 200, -1)->body = lookup;
        auth_start(world->auth);
        fake_loop_run(world->loop, 10 * MINUTE);
        assert_in_range(count("auth/kubernetes/login"), 2, 25);
        assert_int_equal(count("auth/token/renew-self"), 0);
    }
}

static void a_token_that_never_ends_is_left_alone(void **state)
{
    struct world *world = *state;

    vault.token_ttl = 0;
    fake_vault_fault("auth/token/lookup-self", 200, -1)->body = "{\"data\":{\"ttl\":0,\"expire_time\":null}}";
    auth_start(world->auth);
    fake_loop_run(world->loop, 30 * DAY);
    assert_int_equal(vault.arrival_count, 2);
    assert_int_equal(world->tokens, 1);
}

static void a_renewal_that_brings_another_token_is_ignored(void **state)
{
    struct world *world = *state;

    begin(world);
    fake_vault_fault("auth/token/renew-self", 200, 1)->body =
        "{\"auth\":{\"client_token\":\"other\",\"lease_duration\":3600,\"renewable\":true}}";
    fake_loop_run(world->loop, 50 * MINUTE);
    assert_string_equal(auth_token(world->auth)->value, "t1");
    assert_int_equal(world->warnings, 1);
    assert_int_equal(world->renewals, 1);
}

static void a_token_of_one_second_is_renewed_once_a_second_with_a_warning(void **state)
{
    struct world *world = *state;

    vault.token_ttl = 1;
    auth_start(world->auth);
    fake_loop_run(world->loop, MINUTE);
    assert_in_range(vault.arrival_count, 30, 125);
    assert_true(world->warnings >= 1);
}

static void a_wrapped_login_is_handed_on_and_not_renewed(void **state)
{
    struct world *world = *state;

    auth_free(world->auth);
    client_free(world->client);
    make_auth(world, false, "5m");
    fake_vault_fault("auth/kubernetes/login", 200, -1)->body = "{\"auth\":null,\"wrap_info\":{\"token\":\"w\",\"ttl\":300}}";
    auth_start(world->auth);
    fake_loop_run(world->loop, DAY);
    assert_int_equal(world->tokens, 1);
    assert_string_equal(
        auth_token(world->auth)->wrap,
        "{\"token\":\"w\",\"accessor\":\"\",\"ttl\":300,\"creation_time\":\"\",\"creation_path\":\"\",\"wrapped_accessor\":\"\"}\n");
    assert_int_equal(vault.arrival_count, 1);
}

static void everything_about_the_token_goes_to_the_namespace_of_the_login(void **state)
{
    struct world *world = *state;

    auth_free(world->auth);
    client_free(world->client);
    make_auth_in(world, false, NULL, "logins/");
    begin(world);
    fake_loop_run(world->loop, 45 * MINUTE);
    auth_suspect(world->auth, false);
    fake_loop_run(world->loop, 1 * SECOND);
    auth_stop(world->auth, true, 3 * SECOND, on_stopped, world);
    fake_loop_run(world->loop, 1 * SECOND);
    assert_int_equal(vault.arrival_count, 4); /* login, renew-self, lookup-self, revoke-self */
    for (size_t i = 0; i < vault.arrival_count; i++)
        assert_string_equal(vault.arrivals[i].namespace, "logins");
}

static void a_wrapped_answer_that_nobody_asked_for_is_no_login(void **state)
{
    struct world *world = *state;

    fake_vault_fault("auth/kubernetes/login", 200, 1)->body = "{\"wrap_info\":{\"token\":\"w\",\"ttl\":300}}";
    fake_vault_fault("auth/kubernetes/login", 200, 1)->body =
        "{\"auth\":{\"client_token\":\"t1\",\"lease_duration\":3600},\"wrap_info\":{\"token\":\"w\",\"ttl\":300}}";
    auth_start(world->auth);
    fake_loop_run(world->loop, MINUTE);
    assert_int_equal(world->failures, 1);
    assert_non_null(strstr(world->failure, "no token"));
    assert_string_equal(auth_token(world->auth)->wrap, "");
    assert_string_equal(auth_token(world->auth)->value, "t1");
}

static void a_plain_answer_to_a_wrapped_login_is_refused(void **state)
{
    struct world *world = *state;

    auth_free(world->auth);
    client_free(world->client);
    make_auth(world, false, "5m");
    auth_start(world->auth);
    fake_loop_run(world->loop, MINUTE);
    assert_int_equal(world->tokens, 0);
    assert_non_null(strstr(world->failure, "not wrapped"));
}

static void stopping_revokes_the_token_within_its_limit(void **state)
{
    struct world *world = *state;

    begin(world);
    auth_stop(world->auth, true, 3 * SECOND, on_stopped, world);
    assert_int_equal(world->stops, 0);
    fake_loop_run(world->loop, 1 * SECOND);
    assert_int_equal(world->stops, 1);
    assert_int_equal(count("auth/token/revoke-self"), 1);
    assert_false(client_has_token(world->client));
    fake_loop_run(world->loop, DAY);
    assert_int_equal(vault.arrival_count, 2);
}

static void slow_answer(const struct fake_request *request, struct fake_answer *answer)
{
    fake_vault_serve(request, answer);
    answer->latency_ms = 50 * SECOND;
}

static void a_server_that_hangs_does_not_hold_up_the_end(void **state)
{
    struct world *world = *state;

    begin(world);
    fake_http_serve = slow_answer;
    auth_stop(world->auth, true, 3 * SECOND, on_stopped, world);
    fake_loop_run(world->loop, 2 * SECOND);
    assert_int_equal(world->stops, 0);
    fake_loop_run(world->loop, 2 * SECOND);
    assert_int_equal(world->stops, 1);
}

/* Renewals must not leave anything behind: neither timers nor requests. */
static void a_hundred_thousand_renewals_leave_nothing_behind(void **state)
{
    struct world *world = *state;

    vault.token_ttl = 60;
    vault.token_max = (int64_t)20 * 365 * 86400;
    begin(world);
    for (int i = 0; i < 100; i++) {
        vault.arrival_count = 0;
        fake_loop_run(world->loop, 1000 * 44 * SECOND);
    }
    assert_true(world->renewals >= 99000);
    assert_int_equal(world->tokens, 1);
    assert_true(world->loop->most <= 4);
    assert_int_equal(world->loop->count, 1);
}

/* The keys of the environment change under an agent that looks for that every minute. */
static void other_credentials_are_logged_in_with_once(void **state)
{
    struct world *world = *state;
    struct val_pair pairs[] = {{VAL_KEY("role"), val_cstr("app")}, {VAL_KEY("type"), val_cstr("iam")}};
    const struct config_method method = {.type = "aws", .mount_path = "auth/kubernetes", .config = val_map(pairs, 2)};
    const struct auth_events events = {world, on_token, on_failure, on_warning, on_renewed};
    struct err err;

    auth_free(steal(world->auth));
    setenv("AWS_ACCESS_KEY_ID", "one", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    assert_int_equal(auth_new(world->loop, world->client, &method, &events, &world->auth, &err), 0);
    auth_watch(world->auth);
    begin(world);
    fake_loop_run(world->loop, 10 * MINUTE);
    assert_int_equal(count("auth/kubernetes/login"), 1);
    setenv("AWS_ACCESS_KEY_ID", "two", 1);
    fake_loop_run(world->loop, MINUTE + SECOND);
    assert_int_equal(count("auth/kubernetes/login"), 2);
    unsetenv("AWS_SECRET_ACCESS_KEY"); /* a look that fails is no event */
    fake_loop_run(world->loop, 10 * MINUTE);
    assert_int_equal(count("auth/kubernetes/login"), 2);
    assert_int_equal(world->failures, 0);
    assert_int_equal(world->tokens, 2);
    setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    fake_loop_run(world->loop, 40 * MINUTE); /* looks do not hold the renewal up */
    assert_int_equal(world->renewals, 1);
    assert_int_equal(count("auth/kubernetes/login"), 2);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_login_takes_one_request_and_is_not_followed_by_a_renewal),
        TEST(a_token_is_renewed_at_two_thirds_and_logged_in_anew_before_its_maximum),
        TEST(forbidden_renewals_cause_no_storm_and_one_warning),
        TEST(every_way_to_fail_a_renewal_is_paced),
        TEST(tokens_that_have_ended_when_they_come_are_asked_for_slowly),
        TEST(an_outage_shorter_than_the_token_keeps_the_token),
        TEST(a_long_outage_ends_in_one_new_login),
        TEST(a_revoked_token_is_found_by_one_lookup_and_replaced_by_one_login),
        TEST(a_good_token_under_suspicion_is_kept_and_not_asked_about_again_at_once),
        TEST(a_policy_without_lookup_self_does_not_cause_a_login_a_suspicion),
        TEST(logins_that_fail_back_off_and_succeed_later),
        TEST(exit_on_err_ends_at_the_first_failure),
        TEST(retry_after_is_honoured),
        TEST(the_service_account_token_is_read_at_every_login),
        TEST(a_login_that_says_zero_seconds_is_no_storm),
        TEST(a_token_that_never_ends_is_left_alone),
        TEST(a_renewal_that_brings_another_token_is_ignored),
        TEST(a_token_of_one_second_is_renewed_once_a_second_with_a_warning),
        TEST(a_wrapped_login_is_handed_on_and_not_renewed),
        TEST(everything_about_the_token_goes_to_the_namespace_of_the_login),
        TEST(a_wrapped_answer_that_nobody_asked_for_is_no_login),
        TEST(a_plain_answer_to_a_wrapped_login_is_refused),
        TEST(stopping_revokes_the_token_within_its_limit),
        TEST(a_server_that_hangs_does_not_hold_up_the_end),
        TEST(other_credentials_are_logged_in_with_once),
        TEST(a_hundred_thousand_renewals_leave_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
