#include "support/fake_world.c"

#include "vault/client.h"

static struct {
    struct fake_request last[8];
    char address[8][128], server_name[8][128];
    unsigned count;
    const char *location[4]; /* of the first answers; NULL: 200 */
    int status;
    const char *body;
    int64_t retry_after;
    bool every_location; /* each first request leads to a host of its own */
} server;

static void serve(const struct fake_request *request, struct fake_answer *answer)
{
    unsigned n = server.count++;

    if (n < ARRAY_LEN(server.last)) {
        server.last[n] = *request;
        snprintf(server.address[n], sizeof(server.address[n]), "%s", request->address);
        snprintf(server.server_name[n], sizeof(server.server_name[n]), "%s", request->server_name);
    }
    answer->retry_after = server.retry_after;
    answer->status = server.status;
    if (n < ARRAY_LEN(server.location) && server.location[n]) {
        answer->status = 307;
        answer->location = server.location[n];
    }
    if (server.every_location && strcmp(request->address, "https://vault.example:8200") == 0) {
        static char places[64][64];

        snprintf(places[n % 64], sizeof(places[0]), "https://vault.example:%u/v1/x", 9000 + n);
        answer->status = 307;
        answer->location = places[n % 64];
    }
    buf_adds(&answer->body, server.body);
}

struct heard {
    unsigned answers;
    int status;
    int64_t retry_after_ms;
    struct err err;
};

static void on_done(void *ctx, struct reply *reply, const struct err *err)
{
    struct heard *heard = ctx;

    heard->answers++;
    heard->status = reply->status;
    heard->retry_after_ms = reply->retry_after_ms;
    heard->err = err ? *err : (struct err){0};
}

struct world {
    struct loop *loop;
    struct client *client;
    struct heard heard;
};

static void make_client(struct world *world, struct client_options options)
{
    struct err err;

    client_free(world->client);
    assert_int_equal(client_new(world->loop, &options, &world->client, &err), 0);
    assert_int_equal(client_set_token(world->client, "s.token", &err), 0);
}

static int setup(void **state)
{
    struct world *world = mem_alloc(sizeof(*world));
    struct err err;

    fake_vault_reset();
    memset(&server, 0, sizeof(server));
    server.status = 200;
    server.body = "{\"data\":{}}";
    server.retry_after = -1;
    fake_http_serve = serve;
    world->loop = loop_new(&err);
    make_client(world, (struct client_options){.http = {.address = "https://vault.example:8200"}, .namespace = "/team/a/"});
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    client_free(world->client);
    loop_free(world->loop);
    mem_free(world);
    return 0;
}

static void get(struct world *world, const char *path)
{
    world->heard = (struct heard){0};
    client_send(world->client, &(struct request){.method = "GET", .path = path}, on_done, &world->heard);
    fake_loop_run(world->loop, MINUTE);
}

static void answers_come_from_the_loop_exactly_once(void **state)
{
    struct world *world = *state;

    client_send(world->client, &(struct request){.method = "GET", .path = "x"}, on_done, &world->heard);
    assert_int_equal(world->heard.answers, 0);
    fake_loop_run(world->loop, MINUTE);
    assert_int_equal(world->heard.answers, 1);
    assert_string_equal(server.last[0].path, "/v1/x");
    assert_string_equal(server.last[0].token, "s.token");
}

static void a_request_may_bring_its_own_token_or_none(void **state)
{
    struct world *world = *state;

    client_send(world->client, &(struct request){.method = "GET", .path = "a", .token = "other"}, on_done, &world->heard);
    client_send(world->client, &(struct request){.method = "GET", .path = "b", .token = ""}, on_done, &world->heard);
    fake_loop_run(world->loop, MINUTE);
    assert_string_equal(server.last[0].token, "other");
    assert_string_equal(server.last[1].token, "");
}

static void a_token_that_cannot_be_sent_is_refused(void **state)
{
    struct world *world = *state;
    struct err err;

    assert_int_equal(client_set_token(world->client, "with\nnewline", &err), -1);
    assert_int_equal(client_set_token(world->client, "with blank", &err), -1);
    assert_null(strstr(err.text, "blank\""));
    assert_true(client_has_token(world->client));
    assert_int_equal(client_set_token(world->client, NULL, &err), 0);
    assert_false(client_has_token(world->client));
}

static void the_namespace_is_kept_without_slashes(void **state)
{
    struct world *world = *state;

    assert_string_equal(client_namespace(world->client), "team/a");
}

static void a_request_may_bring_its_own_namespace_or_none(void **state)
{
    struct world *world = *state;
    static const char *const given[] = {NULL, "logins/", ""}, *const sent[] = {"team/a", "logins", ""};

    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        client_send(world->client, &(struct request){.method = "GET", .path = "x", .namespace = given[i]}, on_done,
                    &world->heard);
        fake_loop_run(world->loop, MINUTE);
        assert_string_equal(server.last[i].namespace, sent[i]);
    }
}

static void a_failure_names_the_namespace_that_was_asked(void **state)
{
    struct world *world = *state;
    static const char *const given[] = {NULL, "logins/", ""};
    static const char *const said[] = {"GET x (namespace \"team/a\"): ", "GET x (namespace \"logins\"): ", "GET x: "};

    server.status = 404;
    server.body = "{\"errors\":[\"namespace not found\"]}";
    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        world->heard = (struct heard){0};
        client_send(world->client, &(struct request){.method = "GET", .path = "x", .namespace = given[i]}, on_done,
                    &world->heard);
        fake_loop_run(world->loop, MINUTE);
        assert_memory_equal(world->heard.err.text, said[i], strlen(said[i]));
    }
}

static void requests_wait_for_the_budget_unless_urgent(void **state)
{
    struct world *world = *state;
    struct request request = {.method = "GET", .path = "x"};

    for (int i = 0; i < LIMIT_REQUEST_BURST + 3 * LIMIT_REQUEST_RATE; i++)
        client_send(world->client, &request, on_done, &world->heard);
    fake_loop_run(world->loop, 10);
    assert_int_equal(server.count, LIMIT_REQUEST_BURST);
    request.urgent = true;
    client_send(world->client, &request, on_done, &world->heard);
    fake_loop_run(world->loop, 10);
    assert_int_equal(server.count, LIMIT_REQUEST_BURST + 1);
    fake_loop_run(world->loop, SECOND);
    assert_in_range(server.count, LIMIT_REQUEST_BURST + LIMIT_REQUEST_RATE, LIMIT_REQUEST_BURST + LIMIT_REQUEST_RATE + 2);
    fake_loop_run(world->loop, MINUTE);
    assert_int_equal(world->heard.answers, LIMIT_REQUEST_BURST + 3 * LIMIT_REQUEST_RATE + 1);
}

static void one_of_many_waits_for_its_turn_and_holds_up_nobody_else(void **state)
{
    struct world *world = *state;
    struct request many = {.method = "GET", .path = "x", .urgent = true, .one_of_many = true};
    struct client_call *calls[4 * LIMIT_REQUESTS_AT_ONCE];
    size_t count = ARRAY_LEN(calls);

    for (size_t i = 0; i < count; i++)
        calls[i] = client_send(world->client, &many, on_done, &world->heard);
    client_cancel(calls[count - 1]); /* one whose turn has not come */
    client_cancel(calls[0]);         /* and one whose has */
    fake_loop_run(world->loop, 1);
    assert_int_equal(server.count, LIMIT_REQUESTS_AT_ONCE);
    client_send(world->client, &(struct request){.method = "GET", .path = "y"}, on_done, &world->heard);
    fake_loop_run(world->loop, 1);
    assert_int_equal(server.count, LIMIT_REQUESTS_AT_ONCE + 1);
    fake_loop_run(world->loop, MINUTE);
    assert_int_equal(world->heard.answers, count - 2 + 1);
}

static void a_cancelled_call_is_never_answered(void **state)
{
    struct world *world = *state;
    struct client_call *waiting =
        client_send(world->client, &(struct request){.method = "GET", .path = "a"}, on_done, &world->heard);
    struct client_call *sent;

    client_cancel(waiting);
    sent = client_send(world->client, &(struct request){.method = "GET", .path = "b"}, on_done, &world->heard);
    fake_loop_run(world->loop, 1);
    assert_int_equal(server.count, 1);
    client_cancel(sent);
    fake_loop_run(world->loop, MINUTE);
    assert_int_equal(world->heard.answers, 0);
}

static void retry_after_is_clamped(void **state)
{
    struct world *world = *state;

    server.status = 429;
    server.retry_after = 0;
    get(world, "x");
    assert_int_equal(world->heard.retry_after_ms, 1000);
    server.retry_after = 7;
    get(world, "x");
    assert_int_equal(world->heard.retry_after_ms, 7000);
    server.retry_after = 86400;
    get(world, "x");
    assert_int_equal(world->heard.retry_after_ms, 600000);
}

static void an_error_names_method_and_path_but_no_query(void **state)
{
    struct world *world = *state;

    server.status = 0;
    get(world, "secret/app?token=canary");
    assert_int_equal(world->heard.err.code, ERR_RETRY);
    assert_string_equal(world->heard.err.text, "GET secret/app (namespace \"team/a\"): connection refused");
}

static void an_error_of_a_long_path_keeps_method_and_beginning(void **state)
{
    struct world *world = *state;
    char path[400];

    server.status = 0;
    memset(path, 'x', sizeof(path) - 1);
    memcpy(path, "other/creds/", 12);
    path[sizeof(path) - 1] = '\0';
    get(world, path);
    assert_int_equal(strncmp(world->heard.err.text, "GET other/creds/xxx", 19), 0);
    assert_non_null(strstr(world->heard.err.text, "xxx...: connection refused"));
}

static void redirected(struct world *world, const char *location, enum err_code code)
{
    memset(&server.location, 0, sizeof(server.location));
    server.count = 0;
    server.location[0] = location;
    get(world, "secret/app");
    assert_int_equal(world->heard.answers, 1);
    assert_int_equal(world->heard.err.code, code);
    assert_int_equal(server.count, code == ERR_NONE ? 2 : 1);
}

static void a_redirect_is_followed_to_our_own_host(void **state)
{
    struct world *world = *state;

    redirected(world, "https://vault.example:8201/v1/secret/app", ERR_NONE);
    assert_string_equal(server.address[1], "https://vault.example:8201");
    assert_string_equal(server.last[1].path, "/v1/secret/app");
    assert_string_equal(server.last[1].token, "s.token");
    redirected(world, "/v1/other", ERR_NONE);
    assert_string_equal(server.last[1].path, "/v1/other");
    assert_string_equal(server.address[1], "https://vault.example:8200");
}

static void a_redirect_to_another_host_must_prove_our_hosts_name(void **state)
{
    struct world *world = *state;

    redirected(world, "https://vault-1.internal:8200/v1/secret/app", ERR_NONE);
    assert_string_equal(server.server_name[1], "vault.example");
    make_client(world, (struct client_options){.http = {.address = "https://10.0.0.1:8200", .server_name = "vault.example"}});
    redirected(world, "https://10.0.0.2:8200/v1/secret/app", ERR_NONE);
    assert_string_equal(server.server_name[1], "vault.example");
}

static void the_token_goes_nowhere_else(void **state)
{
    struct world *world = *state;

    redirected(world, "http://vault.example:8200/v1/secret/app", ERR_DENIED);
    redirected(world, "https://", ERR_DENIED);
    redirected(world, "//evil/v1/x", ERR_DENIED);
    redirected(world, "https://vault.example@evil/v1/x", ERR_DENIED);
    redirected(world, "", ERR_DENIED);
    make_client(world, (struct client_options){.http = {.address = "http://vault.example:8200"}});
    redirected(world, "http://evil/v1/x", ERR_DENIED);
    redirected(world, "http://vault.example:9000/v1/x", ERR_NONE);
    make_client(world, (struct client_options){.http = {.address = "https://10.0.0.1:8200"}});
    redirected(world, "https://10.0.0.2:8200/v1/x", ERR_DENIED);
    make_client(world, (struct client_options){.http = {.address = "https://vault.example", .skip_verify = true}});
    redirected(world, "https://evil/v1/x", ERR_DENIED);
    make_client(world, (struct client_options){.http = {.address = "unix:///run/vault.sock"}});
    redirected(world, "http://127.0.0.1:8200/v1/x", ERR_DENIED);
}

static void who_wants_no_redirects_hears_of_them(void **state)
{
    struct world *world = *state;

    make_client(world, (struct client_options){.http = {.address = "https://vault.example:8200"}, .no_redirects = true});
    redirected(world, "/v1/other", ERR_DENIED);
    assert_non_null(strstr(world->heard.err.text, "disable_redirects"));
    assert_int_equal(server.count, 1);
}

static void a_second_redirect_is_an_error(void **state)
{
    struct world *world = *state;

    server.location[0] = server.location[1] = "https://vault.example:8201/v1/secret/app";
    get(world, "secret/app");
    assert_int_equal(world->heard.err.code, ERR_DENIED);
    assert_int_equal(server.count, 2);
}

static void redirects_lead_to_any_host_of_a_bounded_number_at_a_time(void **state)
{
    struct world *world = *state;
    char location[64];

    for (int i = 0; i < 3 * LIMIT_REDIRECT_HOSTS; i++) {
        snprintf(location, sizeof(location), "https://vault.example:%d/v1/x", 9000 + i);
        redirected(world, location, ERR_NONE);
        redirected(world, "https://vault.example:9000/v1/x", ERR_NONE); /* in use all the time: it stays */
    }
}

/* Hosts that still owe an answer are not dropped for another. */
static void a_host_too_many_at_once_is_asked_again_later(void **state)
{
    struct world *world = *state;
    struct heard heard[LIMIT_REDIRECT_HOSTS + 1] = {0};
    unsigned later = 0;

    server.every_location = true;
    for (size_t i = 0; i < ARRAY_LEN(heard); i++)
        client_send(world->client, &(struct request){.method = "GET", .path = "secret/app", .urgent = true}, on_done, &heard[i]);
    fake_loop_run(world->loop, MINUTE);
    for (size_t i = 0; i < ARRAY_LEN(heard); i++) {
        assert_int_equal(heard[i].answers, 1);
        later += heard[i].err.code == ERR_RETRY;
    }
    assert_int_equal(later, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(answers_come_from_the_loop_exactly_once),
        TEST(a_request_may_bring_its_own_token_or_none),
        TEST(a_token_that_cannot_be_sent_is_refused),
        TEST(the_namespace_is_kept_without_slashes),
        TEST(a_request_may_bring_its_own_namespace_or_none),
        TEST(a_failure_names_the_namespace_that_was_asked),
        TEST(requests_wait_for_the_budget_unless_urgent),
        TEST(one_of_many_waits_for_its_turn_and_holds_up_nobody_else),
        TEST(a_cancelled_call_is_never_answered),
        TEST(retry_after_is_clamped),
        TEST(an_error_names_method_and_path_but_no_query),
        TEST(an_error_of_a_long_path_keeps_method_and_beginning),
        TEST(a_redirect_is_followed_to_our_own_host),
        TEST(a_redirect_to_another_host_must_prove_our_hosts_name),
        TEST(the_token_goes_nowhere_else),
        TEST(who_wants_no_redirects_hears_of_them),
        TEST(a_second_redirect_is_an_error),
        TEST(redirects_lead_to_any_host_of_a_bounded_number_at_a_time),
        TEST(a_host_too_many_at_once_is_asked_again_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
