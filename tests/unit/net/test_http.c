#include "http_bench.h"

/* ------------------------------------------------------------------------------------------------ requests, answers */

static void http_gets_an_answer(void **state)
{
    struct reply reply;

    (void)state;
    plain();
    reply = get("/hello");
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "hello");
    assert_int_equal(reply.version, 11);
    assert_int_equal(reply.date, 784111777000);
    assert_int_equal(reply.retry_after, -1);
}

static void http_sends_method_headers_and_body_as_given(void **state)
{
    const struct http_header headers[] = {{"X-Vault-Token", "t-1"}, {"X-Empty", ""}};
    struct reply reply;

    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    client_open((struct http_options){.address = server.url, .user_agent = "ampule/0"});
    start(&reply,
          &(struct http_req){
              .method = "PUT", .path = "/echo?x=%20", .headers = headers, .header_count = 2, .body = "a=b", .body_len = 3});
    finish();
    assert_non_null(strstr(reply.body, "PUT /echo?x=%20 HTTP/1.1\r\n"));
    assert_non_null(strstr(reply.body, "\r\nX-Vault-Token: t-1\r\nX-Empty:\r\n"));
    assert_non_null(strstr(reply.body, "\r\nUser-Agent: ampule/0\r\n"));
    assert_non_null(strstr(reply.body, "\r\nAccept-Encoding: identity\r\n"));
    assert_non_null(strstr(reply.body, "\r\n\r\na=b"));
    assert_null(strcasestr(reply.body, "authorization"));
    assert_null(strcasestr(reply.body, "content-type"));
    assert_null(strcasestr(reply.body, "expect"));
}

static void http_knows_the_methods_of_vault(void **state)
{
    struct reply reply;

    (void)state;
    plain();
    start(&reply, &(struct http_req){.method = "LIST", .path = "/echo"});
    finish();
    assert_int_equal(strncmp(reply.body, "LIST /echo HTTP/1.1", 19), 0);
    assert_null(strcasestr(reply.body, "content-length"));
    start(&reply, &(struct http_req){.method = "POST", .path = "/echo"});
    finish();
    assert_non_null(strstr(reply.body, "\r\nContent-Length: 0\r\n"));
    start(&reply, &(struct http_req){.method = "HEAD", .path = "/nowhere"});
    finish();
    assert_int_equal(reply.status, 404);
}

static void http_puts_the_base_path_in_front(void **state)
{
    char address[128];

    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    snprintf(address, sizeof(address), "%s/echo/", server.url);
    client_open((struct http_options){.address = address});
    assert_int_equal(get("/hello").status, 404);
    http_client_free(client);
    server_stop(&server);
    plain();
    assert_int_equal(get("/hello/../hello").status, 404);
}

static void http_refuses_requests_that_would_smuggle(void **state)
{
    const struct http_header split[] = {{"X-A", "b\r\nX-C: d"}}, spaced[] = {{"X A", "b"}};
    const struct http_req requests[] = {
        {.method = "GET", .path = "/", .headers = split, .header_count = 1},
        {.method = "GET", .path = "/", .headers = spaced, .header_count = 1},
        {.method = "GET /", .path = "/"},
        {.method = "GET", .path = "/a b"},
        {.method = "GET", .path = "/a\r\nHost: x"},
        {.method = "GET", .path = "/a#b"},
        {.method = "GET", .path = "a"},
        {.method = "", .path = "/"},
    };
    struct err err;

    (void)state;
    client_open((struct http_options){.address = "http://127.0.0.1:1"});
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        err.code = ERR_NONE;
        assert_null(http_send(client, &requests[i], on_reply, NULL, &err));
        assert_int_equal(err.code, ERR_INPUT);
        assert_null(strstr(err.text, "X-C"));
    }
}

static void http_hands_a_redirect_back(void **state)
{
    struct reply reply;

    (void)state;
    plain();
    reply = get("/redirect");
    assert_int_equal(reply.status, 307);
    assert_string_equal(reply.location, "https://other.example/v1/x");
    assert_int_equal(reply.retry_after, 1);
}

static void http_reads_retry_after_as_seconds_or_date(void **state)
{
    (void)state;
    plain();
    assert_int_equal(get("/busy").retry_after, 17);
    assert_int_equal(get("/busy-until").retry_after, 0);
}

/* -------------------------------------------------------------------------------------------------- hostile answers */

static void http_refuses_fifty_megabytes(void **state)
{
    (void)state;
    plain();
    assert_failure("/big", ERR_LIMIT, "answer has more than 8388608 bytes");
    assert_failure("/big-announced", ERR_LIMIT, "answer has more than 8388608 bytes");
    assert_reply("/hello", 200, "hello");
}

static void http_takes_a_body_of_exactly_its_maximum(void **state)
{
    struct reply reply;

    (void)state;
    plain();
    start(&reply, &(struct http_req){.method = "GET", .path = "/hello", .max_body = 5});
    finish();
    assert_string_equal(reply.body, "hello");
    start(&reply, &(struct http_req){.method = "GET", .path = "/hello", .max_body = 4});
    finish();
    assert_int_equal(reply.err.code, ERR_LIMIT);
}

static void http_refuses_too_many_headers(void **state)
{
    char says[80];

    (void)state;
    plain();
    snprintf(says, sizeof(says), "headers of the answer have more than %zu bytes", LIMIT_REPLY_HEADER_BYTES);
    assert_failure("/many-headers", ERR_LIMIT, says);
    assert_failure("/endless-header", ERR_LIMIT, "a header of the answer is longer than any that is read");
}

static void http_refuses_to_send_paths_and_headers_that_are_too_long(void **state)
{
    char *text = mem_alloc(LIMIT_REPLY_HEADER_BYTES + 1);
    const struct http_header header = {"X-A", text};
    struct err err;

    (void)state;
    memset(text, '/', LIMIT_REPLY_HEADER_BYTES);
    client_open((struct http_options){.address = "http://127.0.0.1:1"});
    assert_null(http_send(client, &(struct http_req){.method = "GET", .path = "/", .headers = &header, .header_count = 1},
                          on_reply, NULL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.text, "header \"X-A\" has more than 65536 bytes");
    text[LIMIT_URL_BYTES] = '\0';
    assert_null(http_send(client, &(struct http_req){.method = "GET", .path = text}, on_reply, NULL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_memory_equal(err.text, "a request path has at most ", 27);
    mem_free(text);
}

static void http_refuses_what_is_not_http(void **state)
{
    (void)state;
    plain();
    assert_failure("/garbage", ERR_INPUT, "answer is not HTTP");
}

static void http_refuses_compressed_answers(void **state)
{
    (void)state;
    plain();
    assert_failure("/gzip", ERR_INPUT, "compressed");
    assert_failure("/gzip-transfer", ERR_INPUT, "compressed");
}

static void http_refuses_bad_chunks(void **state)
{
    (void)state;
    plain();
    assert_true(get("/bad-chunk").failed);
}

static void http_reports_answers_that_are_cut(void **state)
{
    (void)state;
    plain();
    assert_failure("/cut", ERR_RETRY, "answer was cut off");
    assert_failure("/nothing", ERR_RETRY, "closed without an answer");
    assert_reply("/hello", 200, "hello");
}

/* The server stops reading after 64 KiB. Nobody ignores SIGPIPE here: it would end the test. */
static void send_too_much(void)
{
    static char body[4 << 20];
    struct reply reply;

    memset(body, 'x', sizeof(body));
    start(&reply, &(struct http_req){.method = "PUT", .path = "/hello", .body = body, .body_len = sizeof(body)});
    finish();
    assert_int_equal(reply.err.code, ERR_RETRY);
    assert_reply("/hello", 200, "hello");
}

static void http_survives_a_server_that_closes_while_a_body_is_sent(void **state)
{
    (void)state;
    plain();
    send_too_much();
    http_client_free(client);
    server_stop(&server);
    secure((struct server_wish){.cert = &good}, (struct http_options){.ca_cert = NULL});
    send_too_much();
}

/* ------------------------------------------------------------------------------------------- time-outs, connections */

static void http_gives_up_at_its_deadline_and_goes_on_with_a_fresh_connection(void **state)
{
    char before[64];
    struct reply reply;

    (void)state;
    plain();
    snprintf(before, sizeof(before), "%.60s", get("/process").body);
    start(&reply, &(struct http_req){.method = "GET", .path = "/hang", .timeout_ms = 50});
    finish();
    assert_int_equal(reply.err.code, ERR_RETRY);
    assert_non_null(strstr(reply.err.text, "no complete answer within 50 ms"));
    assert_string_not_equal(get("/process").body, before);
}

static void http_gives_up_on_an_answer_that_never_ends(void **state)
{
    struct reply reply;

    (void)state;
    plain();
    start(&reply, &(struct http_req){.method = "GET", .path = "/trickle", .timeout_ms = 100});
    finish();
    assert_non_null(strstr(reply.err.text, "no complete answer within 100 ms"));
}

static void http_lets_others_finish_after_a_time_out(void **state)
{
    struct reply slow, late;

    (void)state;
    plain();
    start(&slow, &(struct http_req){.method = "GET", .path = "/hang", .timeout_ms = 150});
    start(&late, &(struct http_req){.method = "GET", .path = "/hang", .timeout_ms = 50});
    finish();
    assert_non_null(strstr(slow.err.text, "150 ms"));
    assert_non_null(strstr(late.err.text, "50 ms"));
}

static void http_reuses_its_connection_until_it_is_told_to_idle(void **state)
{
    char first[64];

    (void)state;
    plain();
    snprintf(first, sizeof(first), "%.60s", get("/process").body);
    assert_string_equal(get("/process").body, first);
    assert_int_equal(http_client_counts(client).connections, 1);
    http_client_idle(client);
    assert_string_not_equal(get("/process").body, first);
    assert_int_equal(http_client_counts(client).connections, 2);
    assert_int_equal(http_client_counts(client).requests, 3);
}

static void http_idles_after_the_running_exchanges(void **state)
{
    struct reply reply;

    (void)state;
    plain();
    start(&reply, &(struct http_req){.method = "GET", .path = "/process"});
    finish();
    start(&reply, &(struct http_req){.method = "GET", .path = "/process"});
    http_client_idle(client);
    finish();
    assert_false(reply.failed);
    (void)get("/process");
    assert_int_equal(http_client_counts(client).connections, 2);
}

static unsigned long connections_of_twenty(void)
{
    unsigned long before = http_client_counts(client).connections;
    struct reply replies[20];

    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        start(&replies[i], &(struct http_req){.method = "GET", .path = "/process"});
    finish();
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        assert_int_equal(replies[i].status, 200);
    return http_client_counts(client).connections - before;
}

static void http1_uses_at_most_four_connections(void **state)
{
    (void)state;
    plain();
    assert_in_range(connections_of_twenty(), 1, 4);
}

static void http1_uses_as_many_connections_as_it_may(void **state)
{
    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    client_open((struct http_options){.address = server.url, .max_connections = 10});
    assert_in_range(connections_of_twenty(), 5, 10);
    http_client_idle(client);
    http_client_limit(client, 1);
    assert_int_equal(connections_of_twenty(), 1);
    http_client_limit(client, 3);
    assert_in_range(connections_of_twenty(), 1, 2);
    http_client_idle(client);
    assert_in_range(connections_of_twenty(), 2, 3);
}

static void http_cancel_ends_an_exchange_without_a_word(void **state)
{
    struct reply cancelled, reply;
    struct http_exchange *exchange;

    (void)state;
    plain();
    exchange = start(&cancelled, &(struct http_req){.method = "GET", .path = "/hang"});
    waiting--;
    start(&reply, &(struct http_req){.method = "GET", .path = "/hello"});
    finish();
    http_cancel(exchange);
    assert_reply("/hello", 200, "hello");
    assert_false(cancelled.over);
}

static void http_client_free_ends_everything_without_a_word(void **state)
{
    struct reply answered, hanging, fresh;

    (void)state;
    plain();
    start(&hanging, &(struct http_req){.method = "GET", .path = "/hang"});
    waiting--;
    start(&answered, &(struct http_req){.method = "GET", .path = "/hello"});
    finish();
    start(&fresh, &(struct http_req){.method = "GET", .path = "/hello"});
    http_client_free(client);
    client = NULL;
    assert_true(answered.over);
    assert_false(hanging.over || fresh.over);
}

static void free_client_on_reply(void *ctx, struct http_res *res, const struct err *err)
{
    (void)err;
    *(int *)ctx = res ? res->status : -1;
    http_client_free(client);
    client = NULL;
    loop_stop(loop);
}

static void http_callbacks_may_free_the_client(void **state)
{
    struct reply others[2];
    struct err err;
    int status = 0;

    (void)state;
    plain();
    start(&others[0], &(struct http_req){.method = "GET", .path = "/hang"});
    assert_non_null(
        http_send(client, &(struct http_req){.method = "GET", .path = "/hello"}, free_client_on_reply, &status, &err));
    start(&others[1], &(struct http_req){.method = "GET", .path = "/hang"});
    finish();
    assert_int_equal(status, 200);
}

static void http_names_a_refused_connection(void **state)
{
    struct reply replies[20];

    (void)state;
    plain();
    server_stop(&server);
    server.pid = 0;
    assert_failure("/hello", ERR_RETRY, "connection refused");
    assert_failure("/hello", ERR_RETRY, server.url);
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        start(&replies[i], &(struct http_req){.method = "GET", .path = "/hello"});
    finish();
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        assert_non_null(strstr(replies[i].err.text, "connection refused"));
}

static void http_speaks_over_a_unix_socket(void **state)
{
    (void)state;
    server = server_start((struct server_wish){.unix_path = in_folder("socket")});
    client_open((struct http_options){.address = server.url});
    assert_reply("/hello", 200, "hello");
    assert_non_null(strstr(get("/echo").body, "\r\nHost: localhost\r\n"));
    server_stop(&server);
    server.pid = 0;
    http_client_idle(client);
    assert_failure("/hello", ERR_RETRY, "connection refused");
}

/* ------------------------------------------------------------------------------------------------------------ names */

static void http_resolves_names_by_itself_and_anew_for_new_connections(void **state)
{
    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    hosts_write("127.0.0.2 vault.example\n127.0.0.1 vault.example\n");
    named("vault.example", (struct http_options){.timeout_ms = 5000});
    assert_reply("/hello", 200, "hello");
    http_client_idle(client);
    hosts_write("127.0.0.2 vault.example\n");
    assert_failure("/hello", ERR_RETRY, "connection refused");
    hosts_write("127.0.0.1 vault.example\n");
    assert_reply("/hello", 200, "hello");
}

static void http_resolves_names_with_a_trailing_dot(void **state)
{
    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    hosts_write("127.0.0.1 vault.example\n");
    named("vault.example.", (struct http_options){.timeout_ms = 5000});
    assert_reply("/hello", 200, "hello");
}

static void http_names_a_name_that_does_not_resolve(void **state)
{
    struct reply replies[3];

    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    hosts_write("");
    named("vault..example", (struct http_options){.timeout_ms = 0}); /* no server needs to be asked */
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        start(&replies[i], &(struct http_req){.method = "GET", .path = "/hello"});
    finish();
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        assert_int_equal(replies[i].err.code, ERR_RETRY);
        assert_non_null(strstr(replies[i].err.text, "name \"vault..example\" does not resolve"));
    }
}

/* ------------------------------------------------------------------------------------------------------ bad options */

static void http_client_names_what_is_wrong_with_its_options(void **state)
{
    (void)state;
    assert_no_client((struct http_options){.address = "vault:8200"}, ERR_INPUT,
                     "address \"vault:8200\": its scheme is missing; begin with http://");
    assert_no_client((struct http_options){.address = "ftp://vault"}, ERR_INPUT, "begin with http://, https:// or unix://");
    assert_no_client((struct http_options){.address = "https://"}, ERR_INPUT, "address \"https://\"");
    assert_no_client((struct http_options){.address = "https://u:geheim@vault"}, ERR_INPUT,
                     "address: it must not hold a user name");
    assert_no_client((struct http_options){.address = "https://vault/?x=1"}, ERR_INPUT, "\"?\"");
    assert_no_client((struct http_options){.address = "unix://relative"}, ERR_INPUT, "absolute path");
    assert_no_client((struct http_options){.address = "https://v", .ca_cert = "/nowhere/ca.pem"}, ERR_MISSING, "/nowhere/ca.pem");
    assert_no_client((struct http_options){.address = "https://v", .client_cert = "/nowhere"}, ERR_INPUT,
                     "client_key is not set");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(http_gets_an_answer),
        T(http_sends_method_headers_and_body_as_given),
        T(http_knows_the_methods_of_vault),
        T(http_puts_the_base_path_in_front),
        T(http_refuses_requests_that_would_smuggle),
        T(http_hands_a_redirect_back),
        T(http_reads_retry_after_as_seconds_or_date),
        T(http_refuses_fifty_megabytes),
        T(http_takes_a_body_of_exactly_its_maximum),
        T(http_refuses_too_many_headers),
        T(http_refuses_to_send_paths_and_headers_that_are_too_long),
        T(http_refuses_what_is_not_http),
        T(http_refuses_compressed_answers),
        T(http_refuses_bad_chunks),
        T(http_reports_answers_that_are_cut),
        T(http_survives_a_server_that_closes_while_a_body_is_sent),
        T(http_gives_up_at_its_deadline_and_goes_on_with_a_fresh_connection),
        T(http_gives_up_on_an_answer_that_never_ends),
        T(http_lets_others_finish_after_a_time_out),
        T(http_reuses_its_connection_until_it_is_told_to_idle),
        T(http_idles_after_the_running_exchanges),
        T(http1_uses_at_most_four_connections),
        T(http1_uses_as_many_connections_as_it_may),
        T(http_cancel_ends_an_exchange_without_a_word),
        T(http_client_free_ends_everything_without_a_word),
        T(http_callbacks_may_free_the_client),
        T(http_names_a_refused_connection),
        T(http_speaks_over_a_unix_socket),
        T(http_resolves_names_by_itself_and_anew_for_new_connections),
        T(http_resolves_names_with_a_trailing_dot),
        T(http_names_a_name_that_does_not_resolve),
        T(http_client_names_what_is_wrong_with_its_options),
    };

    return cmocka_run_group_tests(tests, world_make, world_remove);
}
