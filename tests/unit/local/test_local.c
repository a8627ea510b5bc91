#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "local/local.h"
#include "net/http.h"
#include "net/httpd.h"

/* A server, an agent's listeners before it and an application, all in one loop. */
static struct loop *loop;
static struct httpd *server;
static struct local *local;
static struct config config;
static struct config_listener listeners[2];
static const char *own;
static int quits, seen;

static struct {
    int status;
    char body[ERR_TEXT_MAX];
} last;

/* Says what it was asked. */
static void on_request(void *ctx, struct httpd_req *req)
{
    char text[256];
    const char *token = httpd_header(req, "X-Vault-Token");

    (void)ctx;
    seen++;
    snprintf(text, sizeof(text), "%s %s %s %.*s", req->method, req->target, token ? token : "-", (int)req->body_len, req->body);
    httpd_reply(req, &(struct httpd_res){.status = 203, .type = "text/plain", .body = text, .body_len = strlen(text)});
}

static void on_answer(void *ctx, struct http_res *res, const struct err *err)
{
    (void)ctx;
    last.status = res ? res->status : -1;
    snprintf(last.body, sizeof(last.body), "%s", res && res->body.data ? res->body.data : err ? err->text : "");
    loop_stop(loop);
}

static const char *token(void *ctx)
{
    (void)ctx;
    return own;
}

static int health(void *ctx, const char *purpose, struct err *err)
{
    (void)ctx;
    return strcmp(purpose, "startup") == 0 ? 0 : err_set(err, ERR_RETRY, "waits for %s", purpose);
}

static void quit(void *ctx)
{
    (void)ctx;
    quits++;
}

static void on_finished(void *ctx)
{
    *(bool *)ctx = true;
    loop_stop(loop);
}

static struct config_listener plain(void)
{
    return (struct config_listener){.path = "listener[0]",
                                    .address = "127.0.0.1:0",
                                    .tls_disable = true,
                                    .tls_cert_file = "",
                                    .tls_key_file = "",
                                    .tls_min_version = "",
                                    .tls_max_version = "",
                                    .tls_cipher_suites = "",
                                    .tls_client_ca_file = "",
                                    .socket_user = "",
                                    .socket_group = ""};
}

static void open_local(void)
{
    const struct httpd_options upstream = {.listen = "127.0.0.1:0", .on_request = on_request};
    const struct local_events events = {NULL, token, health, quit};
    char address[128];
    struct err err;

    assert_int_equal(httpd_start(loop, &upstream, &server, &err), 0);
    snprintf(address, sizeof(address), "http://%s", httpd_address(server));
    config.listeners = listeners;
    assert_int_equal(local_new(loop, &config, &(struct http_options){.address = address, .direct = true}, &events, &local, &err),
                     0);
}

static int setup(void **state)
{
    struct err err;

    (void)state;
    own = NULL;
    quits = seen = 0;
    config_init(&config);
    config.listener_count = 1;
    listeners[0] = listeners[1] = plain();
    loop = loop_new(&err);
    return loop ? 0 : -1;
}

static void on_turn(void *ctx)
{
    (void)ctx;
    loop_stop(loop);
}

/* libevent gives a connection back in the loop's next turn. */
static void turn(void)
{
    struct loop_timer timer;
    struct err err;

    timer_init(&timer, loop, on_turn, NULL);
    timer_after(&timer, 0);
    assert_int_equal(loop_run(loop, &err), 0);
}

static int teardown(void **state)
{
    (void)state;
    local_free(steal(local));
    httpd_stop(steal(server));
    turn();
    loop_free(loop);
    config_done(&config);
    return 0;
}

static void ask_with(size_t gate, const struct http_req *req)
{
    struct http_client *client;
    char address[128];
    struct err err;

    snprintf(address, sizeof(address), "http://%s", local_address(local, gate));
    assert_int_equal(http_client_new(loop, &(struct http_options){.address = address, .direct = true}, &client, &err), 0);
    assert_non_null(http_send(client, req, on_answer, NULL, &err));
    assert_int_equal(loop_run(loop, &err), 0);
    http_client_free(client);
}

static void ask(size_t gate, const char *method, const char *path)
{
    ask_with(gate, &(struct http_req){.method = method, .path = path});
}

/* ------------------------------------------------------------------------------------------------------------ tests */

static void local_passes_requests_on_and_answers_back(void **state)
{
    const struct http_header headers[] = {{"X-Vault-Token", "mine"}};

    (void)state;
    open_local();
    ask_with(0,
             &(struct http_req){
                 .method = "PUT", .path = "/v1/a%2Fb?x=1", .headers = headers, .header_count = 1, .body = "body", .body_len = 4});
    assert_int_equal(last.status, 203);
    assert_string_equal(last.body, "PUT /v1/a%2Fb?x=1 mine body");
}

static void local_lends_its_token_as_the_configuration_says(void **state)
{
    static const struct {
        enum config_proxy_token lends;
        const char *own, *theirs, *sent;
    } rows[] = {
        {PROXY_TOKEN_CLIENT, "own", "", "-"},      {PROXY_TOKEN_CLIENT, "own", "mine", "mine"},
        {PROXY_TOKEN_SPARE, "own", "", "own"},     {PROXY_TOKEN_SPARE, "own", "mine", "mine"},
        {PROXY_TOKEN_FORCE, "own", "mine", "own"}, {PROXY_TOKEN_SPARE, NULL, "", "-"},
        {PROXY_TOKEN_FORCE, NULL, "mine", "-"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct http_header headers[] = {{"X-Vault-Token", rows[i].theirs}};
        char want[64];

        own = rows[i].own;
        config.proxy.token = rows[i].lends;
        open_local();
        ask_with(
            0, &(struct http_req){.method = "GET", .path = "/v1/x", .headers = headers, .header_count = *rows[i].theirs != '\0'});
        snprintf(want, sizeof(want), "GET /v1/x %s ", rows[i].sent);
        assert_string_equal(last.body, want);
        local_free(steal(local));
        httpd_stop(steal(server));
    }
}

static void local_tells_a_server_that_is_away(void **state)
{
    (void)state;
    open_local();
    httpd_stop(steal(server));
    ask(0, "GET", "/v1/x");
    assert_int_equal(last.status, 500);
    assert_memory_equal(last.body, "{\"errors\":[\"", 12);
}

static void local_says_how_the_agent_is(void **state)
{
    (void)state;
    open_local();
    ask(0, "GET", "/agent/v1/health");
    assert_int_equal(last.status, 503);
    assert_string_equal(last.body, "{\"errors\":[\"waits for readiness\"]}\n");
    ask(0, "GET", "/agent/v1/health?purpose=startup");
    assert_int_equal(last.status, 200);
    ask(0, "POST", "/agent/v1/health");
    assert_int_equal(last.status, 405);
    assert_int_equal(seen, 0);
}

static void local_ends_the_agent_only_where_that_is_allowed(void **state)
{
    (void)state;
    config.listener_count = 2;
    listeners[1].enable_quit = true;
    open_local();
    ask(0, "POST", "/agent/v1/quit");
    assert_int_equal(last.status, 404);
    ask(1, "GET", "/agent/v1/quit");
    assert_int_equal(last.status, 405);
    assert_int_equal(quits, 0);
    ask(1, "POST", "/agent/v1/quit");
    assert_int_equal(last.status, 200);
    assert_int_equal(quits, 1);
}

static void local_keeps_no_long_body_of_what_is_not_passed_on(void **state)
{
    static char body[LIMIT_LOCAL_BODY_BYTES + 1];

    (void)state;
    open_local();
    ask_with(0, &(struct http_req){.method = "POST", .path = "/agent/v1/health", .body = body, .body_len = sizeof(body) - 1});
    assert_int_equal(last.status, 405);
    ask_with(0, &(struct http_req){.method = "POST", .path = "/agent/v1/health", .body = body, .body_len = sizeof(body)});
    assert_int_equal(last.status, 413);
    ask_with(0, &(struct http_req){.method = "PUT", .path = "/v1/x", .body = body, .body_len = sizeof(body)});
    assert_int_equal(last.status, 203);
}

static void local_keeps_the_listener_for_metrics_apart(void **state)
{
    (void)state;
    listeners[0].metrics_only = true;
    open_local();
    ask(0, "GET", "/v1/x");
    assert_int_equal(last.status, 404);
    assert_int_equal(seen, 0);
}

static void local_wants_the_header_where_it_is_required(void **state)
{
    const struct http_header headers[] = {{"X-Vault-Request", "true"}};

    (void)state;
    listeners[0].require_request_header = true;
    open_local();
    ask(0, "GET", "/v1/x");
    assert_int_equal(last.status, 412);
    ask_with(0, &(struct http_req){.method = "GET", .path = "/v1/x", .headers = headers, .header_count = 1});
    assert_int_equal(last.status, 203);
}

static void local_finishes_when_nobody_is_served_any_more(void **state)
{
    bool finished = false;
    struct err err;

    (void)state;
    open_local();
    ask(0, "GET", "/v1/x");
    local_finish(local, 60 * 1000, on_finished, &finished);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_true(finished);
}

/* Loopback connections that say nothing. */
static int idle(size_t gate)
{
    const char *address = local_address(local, gate);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    return fd;
}

static void local_makes_room_where_idle_clients_take_all_of_it(void **state)
{
    static int fds[LIMIT_LOCAL_CONNECTIONS + 1];
    struct rlimit limit;
    char byte;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 3 * LIMIT_LOCAL_CONNECTIONS)
        skip();
    open_local();
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = idle(0);
        if (i % 64 == 0 || i == ARRAY_LEN(fds) - 1)
            ask(0, "GET", "/agent/v1/health?purpose=startup");
    }
    assert_int_equal(last.status, 200);
    assert_int_equal(recv(fds[0], &byte, 1, MSG_DONTWAIT), 0); /* the oldest had to go */
    assert_int_equal(recv(fds[LIMIT_LOCAL_CONNECTIONS], &byte, 1, MSG_DONTWAIT), -1);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

static void local_names_the_listener_that_cannot_be(void **state)
{
    const struct local_events events = {NULL, token, health, quit};
    struct err err;

    (void)state;
    config.listener_count = 2;
    config.listeners = listeners;
    listeners[1].path = "listener[1]";
    listeners[1].tls_disable = false;
    listeners[1].tls_cert_file = "/nowhere/cert.pem";
    assert_int_equal(local_new(loop, &config, &(struct http_options){.address = "http://127.0.0.1:1"}, &events, &local, &err),
                     -1);
    assert_non_null(strstr(err.text, "listener[1]"));
    assert_non_null(strstr(err.text, "/nowhere/cert.pem"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(local_passes_requests_on_and_answers_back, setup, teardown),
        cmocka_unit_test_setup_teardown(local_lends_its_token_as_the_configuration_says, setup, teardown),
        cmocka_unit_test_setup_teardown(local_tells_a_server_that_is_away, setup, teardown),
        cmocka_unit_test_setup_teardown(local_says_how_the_agent_is, setup, teardown),
        cmocka_unit_test_setup_teardown(local_ends_the_agent_only_where_that_is_allowed, setup, teardown),
        cmocka_unit_test_setup_teardown(local_keeps_no_long_body_of_what_is_not_passed_on, setup, teardown),
        cmocka_unit_test_setup_teardown(local_keeps_the_listener_for_metrics_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(local_wants_the_header_where_it_is_required, setup, teardown),
        cmocka_unit_test_setup_teardown(local_finishes_when_nobody_is_served_any_more, setup, teardown),
        cmocka_unit_test_setup_teardown(local_makes_room_where_idle_clients_take_all_of_it, setup, teardown),
        cmocka_unit_test_setup_teardown(local_names_the_listener_that_cannot_be, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
