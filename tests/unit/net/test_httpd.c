#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>

#include "net/httpd_bench.h"

static void connection_is_kept_for_the_next_request(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){0});
    client_open(&client, &bench);
    client_send(&client, "GET /one?q=a%20b HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&client, "GET /one 0 a b");
    client_send(&client, "PUT /t%20wo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    assert_non_null(strstr(client_wait(&client, "PUT /t wo 3 -"), "HTTP/1.1 200"));
    assert_int_equal(httpd_connections(bench.httpd), 1);
    client_close(&client);
    bench_stop(&bench);
}

static void list_is_a_method_even_when_pipelined_or_cut(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){0});
    client_open(&client, &bench);
    client_send(&client, "LI");
    client_send(&client,
                "ST /a HTTP/1.1\r\nHost: x\r\n\r\nLIST /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&client, "GET /c 0");
    assert_non_null(strstr(client.seen.data, "LIST /a 0"));
    assert_non_null(strstr(client.seen.data, "LIST /b 0"));
    client_close(&client);
    bench_stop(&bench);
}

static void dripping_client_is_cut_at_the_deadline(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){.request_ms = 300});
    client_open(&client, &bench);
    client_send(&client, "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx");
    assert_non_null(strstr(client_wait(&client, NULL), "HTTP/1.1 408 Request Timeout\r\n"));
    assert_non_null(strstr(client.seen.data, "Connection: close\r\n"));
    assert_int_equal(bench.requests, 0);
    client_close(&client);
    bench_stop(&bench);
}

static void silent_client_is_cut_at_the_deadline(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){.request_ms = 300});
    client_open(&client, &bench);
    assert_string_equal(client_wait(&client, NULL), "");
    assert_int_equal(httpd_connections(bench.httpd), 0);
    client_close(&client);
    bench_stop(&bench);
}

static void idle_connection_is_closed(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){.idle_ms = 300});
    client_open(&client, &bench);
    client_send(&client, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(client_wait(&client, NULL), "GET /x"));
    client_close(&client);
    bench_stop(&bench);
}

static void body_over_the_limit_gets_413(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){.max_body = 10});
    client_open(&client, &bench);
    client_send(&client, "PUT /big HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n01234567890");
    assert_non_null(strstr(client_wait(&client, NULL), "413"));
    assert_int_equal(bench.requests, 0);
    client_close(&client);
    bench_stop(&bench);
}

static void body_over_the_usual_limit_is_refused_before_it_comes(void **state)
{
    struct bench bench;
    struct client client;
    char text[128];

    (void)state;
    bench_start(&bench, &(struct httpd_options){0});
    client_open(&client, &bench);
    snprintf(text, sizeof(text), "PUT /big HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", LIMIT_REQUEST_BYTES + 1);
    client_send(&client, text);
    assert_non_null(strstr(client_wait(&client, NULL), "413"));
    assert_int_equal(bench.requests, 0);
    client_close(&client);
    bench_stop(&bench);
}

static void headers_over_the_limit_are_refused(void **state)
{
    struct bench bench;
    struct client client;
    _cleanup_buf_ struct buf text;

    (void)state;
    buf_init(&text, 2 * LIMIT_REQUEST_HEADER_BYTES);
    bench_start(&bench, &(struct httpd_options){0});
    client_open(&client, &bench);
    buf_addf(&text, "GET /x HTTP/1.1\r\nHost: x\r\nX-A: %0*d\r\n\r\n", (int)LIMIT_REQUEST_HEADER_BYTES - 100, 0);
    client_send(&client, text.data);
    client_wait(&client, "GET /x 0");
    buf_reset(&text);
    buf_addf(&text, "GET /y HTTP/1.1\r\nHost: x\r\nX-A: %0*d\r\n\r\n", (int)LIMIT_REQUEST_HEADER_BYTES, 0);
    client_send(&client, text.data);
    assert_non_null(strstr(client_wait(&client, NULL), "HTTP/1.1 431 Request Header Fields Too Large"));
    assert_int_equal(bench.requests, 1);
    client_close(&client);
    bench_stop(&bench);
}

static void path_with_a_hidden_nul_is_refused(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){0});
    client_open(&client, &bench);
    client_send(&client, "GET /a%00b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(client_wait(&client, NULL), "400"));
    assert_int_equal(bench.requests, 0);
    client_close(&client);
    bench_stop(&bench);
}

/* Where two readers could disagree about the end of a body, the second request could be anybody's. */
static void a_body_whose_end_is_not_clear_ends_its_connection(void **state)
{
    static const char *const heads[] = {
        "Content-Length: 4\r\nContent-Length: 40\r\n",
        "Content-Length: 4\r\nContent-Length: 4\r\n",
        "content-length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: identity\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: 0x4\r\n",
    };
    struct bench bench;
    struct client client;
    char text[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        bench_start(&bench, &(struct httpd_options){0});
        client_open(&client, &bench);
        snprintf(text, sizeof(text), "POST /one HTTP/1.1\r\nHost: x\r\n%s\r\n%sGET /two HTTP/1.1\r\nHost: x\r\n\r\n", heads[i],
                 strstr(heads[i], "chunked\r\n") && !strstr(heads[i], "xchunked") ? "4\r\nbody\r\n0\r\n\r\n" : "body");
        client_send(&client, text);
        assert_non_null(strstr(client_wait(&client, NULL), " 400 "));
        assert_int_equal(bench.requests, 0);
        client_close(&client);
        bench_stop(&bench);
    }
}

static void the_body_of_a_read_is_no_request(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){0});
    client_open(&client, &bench);
    client_send(&client, "GET /one HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\nGET /two HTTP/1.1\r\nHost: x\r\n\r\n"
                         "GET /three HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&client, "GET /three 0");
    assert_int_equal(bench.requests, 2);
    client_close(&client);
    bench_stop(&bench);
}

static void reply_may_come_later(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){.request_ms = 300});
    bench.hold = true;
    client_open(&client, &bench);
    client_send(&client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&client, NULL);
    assert_non_null(bench.held);
    reply(bench.held, 200, "now");
    assert_non_null(strstr(client_wait(&client, "now"), "200"));
    client_close(&client);
    bench_stop(&bench);
}

static void reply_after_the_end_of_its_connection_is_dropped(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){0});
    bench.hold = true;
    client_open(&client, &bench);
    client_send(&client, "POST /x?q=1 HTTP/1.1\r\nHost: x\r\nX-Kept: yes\r\nContent-Length: 12\r\n\r\ntwelve bytes");
    client_wait(&client, NULL);
    httpd_stop(bench.httpd);
    bench.httpd = NULL;
    assert_false(httpd_is_heard(bench.held));
    assert_string_equal(bench.held->target, "/x?q=1");
    assert_string_equal(bench.held->path, "/x");
    assert_string_equal(bench.held->peer, "127.0.0.1");
    assert_memory_equal(bench.held->body, "twelve bytes", bench.held->body_len);
    assert_string_equal(httpd_header(bench.held, "X-Kept"), "yes");
    assert_string_equal(httpd_param(bench.held, "q"), "1");
    reply(bench.held, 200, "nobody hears this");
    client_close(&client);
    bench_stop(&bench);
}

static void at_the_maximum_others_wait_for_an_end(void **state)
{
    struct bench bench;
    struct client first, second;

    (void)state;
    bench_start(&bench, &(struct httpd_options){.max_connections = 1});
    client_open(&first, &bench);
    client_send(&first, "GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&first, "/first");
    client_open(&second, &bench);
    client_send(&second, "GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
    client_send(&first, "GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&first, "/again");
    assert_string_equal(second.seen.data, "");
    client_close(&first);
    client_wait(&second, "/second");
    client_close(&second);
    bench_stop(&bench);
}

static void without_a_maximum_of_its_own_there_is_the_usual_one(void **state)
{
    struct client *clients = mem_array(LIMIT_SERVER_CONNECTIONS + 1, sizeof(*clients)),
                  *last = &clients[LIMIT_SERVER_CONNECTIONS];
    struct rlimit descriptors;
    struct bench bench;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
    descriptors.rlim_cur = descriptors.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &descriptors), 0);
    bench_start(&bench, &(struct httpd_options){0});
    for (struct client *client = clients; client < last; client++) {
        client_open(client, &bench);
        client_send(client, "GET /one HTTP/1.1\r\nHost: x\r\n\r\n");
        client_wait(client, "/one");
    }
    client_open(last, &bench);
    client_send(last, "GET /last HTTP/1.1\r\nHost: x\r\n\r\n");
    client_send(clients, "GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(clients, "/again");
    assert_int_equal(httpd_connections(bench.httpd), LIMIT_SERVER_CONNECTIONS);
    assert_string_equal(last->seen.data, "");
    client_close(clients);
    client_wait(last, "/last");
    for (struct client *client = clients + 1; client <= last; client++)
        client_close(client);
    mem_free(clients);
    bench_stop(&bench);
}

static void at_the_maximum_the_laziest_makes_room(void **state)
{
    struct bench bench;
    struct client lazy, second, third;

    (void)state;
    bench_start(&bench, &(struct httpd_options){.max_connections = 2, .make_room = true});
    client_open(&lazy, &bench);
    client_open(&second, &bench);
    client_send(&second, "GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&second, "/second");
    client_open(&third, &bench);
    client_send(&third, "GET /third HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&third, "/third");
    assert_string_equal(client_wait(&lazy, NULL), "");
    client_close(&lazy);
    client_send(&second, "GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&second, "/again");
    client_close(&second);
    client_close(&third);
    bench_stop(&bench);
}

/* Begins a request of which `len` bytes of the body come, and no more. */
static void client_begin(struct client *client, size_t len)
{
    char body[2048];

    client_send(client, "PUT /big HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    memset(body, 'x', len);
    body[len] = '\0';
    client_send(client, body);
}

/* A large one goes, be it another or the one whose bytes were too many; whoever asks little is served. */
static void what_is_held_for_all_is_bounded(void **state)
{
    struct bench bench;
    struct client large, small, last;

    (void)state;
    bench_start(&bench, &(struct httpd_options){.max_held = 2500});
    client_open(&large, &bench);
    client_begin(&large, 1500);
    client_open(&small, &bench);
    client_send(&small, "GET /one HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&small, "/one");
    client_open(&last, &bench);
    client_begin(&last, 1000);
    assert_string_equal(client_wait(&large, NULL), "");
    client_close(&large);
    assert_int_equal(httpd_connections(bench.httpd), 2);
    client_begin(&last, 2000);
    assert_string_equal(client_wait(&last, NULL), "");
    client_close(&last);
    client_send(&small, "GET /two HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&small, "/two");
    client_close(&small);
    bench_stop(&bench);
}

static void many_small_hoarders_keep_no_larger_request_out(void **state)
{
    struct bench bench;
    struct client old, newer, last;
    char text[1200];

    (void)state;
    bench_start(&bench, &(struct httpd_options){.max_held = 2500});
    client_open(&old, &bench);
    client_begin(&old, 900);
    client_open(&last, &bench);
    client_send(&last, "GET /one HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&last, "/one");
    /* Deadlines are kept in milliseconds. */
    for (int64_t then = clock_micros(); clock_micros() < then + 2000;)
        continue;
    client_open(&newer, &bench);
    client_begin(&newer, 900);
    /* Answered in the turn that accepts the newer one at the latest: what follows meets the bytes of both. */
    client_send(&last, "GET /between HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&last, "/between");
    snprintf(text, sizeof(text), "PUT /two HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n%01000d", 0);
    client_send(&last, text);
    client_wait(&last, "/two 1000");
    assert_string_equal(client_wait(&old, NULL), "");
    client_close(&old);
    client_close(&newer);
    client_close(&last);
    bench_stop(&bench);
}

/* What is no clear request is told so, and nothing behind it is taken for one. */
static void what_is_refused_is_told_why(void **state)
{
    static const struct {
        const char *request, *status;
    } rows[] = {
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", " 505 "},
        {"GET /\r\n\r\n", " 505 "},
        {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", " 501 "},
        {"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", " 501 "},
        {"GET / HTTP/1.1\r\n\r\n", " 400 "},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", " 400 "},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", " 400 "},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: \001\r\n\r\n", " 400 "},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n", " 400 "},
        {"GET x HTTP/1.1\r\nHost: x\r\n\r\n", " 400 "},
        {"PUT / HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\nContent-Length: 1\r\n\r\n", " 417 "},
        {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", " 400 "},
        {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n", " 400 "},
        {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n", " 400 "},
        {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n", " 400 "},
        {"PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", " 400 "},
        {"\026\003\001\002 TLS", " 400 "},
    };
    struct bench bench;
    struct client client;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bench_start(&bench, &(struct httpd_options){0});
        client_open(&client, &bench);
        client_send(&client, rows[i].request);
        client_send(&client, "GET /two HTTP/1.1\r\nHost: x\r\n\r\n");
        if (!strstr(client_wait(&client, NULL), rows[i].status))
            fail_msg("%s: %s", rows[i].request, client.seen.data);
        assert_non_null(strstr(client.seen.data, "Connection: close\r\n"));
        assert_int_equal(bench.requests, 0);
        client_close(&client);
        bench_stop(&bench);
    }
}

static void a_body_of_chunks_is_put_together(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){.max_body = 5});
    client_open(&client, &bench);
    client_send(&client, "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n");
    client_send(&client, "3\r\ncde\r\n0\r\nX-Late: 1\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&client, "GET /b 0");
    assert_non_null(strstr(client.seen.data, "PUT /a 5"));
    client_send(&client, "PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
    assert_non_null(strstr(client_wait(&client, NULL), "HTTP/1.1 413 "));
    assert_int_equal(bench.requests, 2);
    client_close(&client);
    bench_stop(&bench);
}

static void whoever_asks_first_is_told_to_go_on(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){.max_body = 10});
    client_open(&client, &bench);
    client_send(&client, "PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    client_wait(&client, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_int_equal(bench.requests, 0);
    client_send(&client, "abc");
    client_wait(&client, "PUT /a 3");
    client_send(&client, "PUT /b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
    client_wait(&client, NULL);
    assert_non_null(strstr(client.seen.data, "HTTP/1.1 413 "));
    assert_null(strstr(strstr(client.seen.data, "PUT /a 3"), "100 Continue"));
    client_close(&client);
    bench_stop(&bench);
}

static void a_head_is_answered_without_its_body(void **state)
{
    struct bench bench;
    struct client client;
    const char *end;

    (void)state;
    bench_start(&bench, &(struct httpd_options){0});
    client_open(&client, &bench);
    client_send(&client, "HEAD /abc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    end = strstr(client_wait(&client, NULL), "\r\n\r\n");
    assert_non_null(strstr(client.seen.data, "Content-Length: 13\r\n"));
    assert_string_equal(end, "\r\n\r\n");
    client_close(&client);
    bench_stop(&bench);
}

static void http_1_0_is_closed_unless_it_asks_to_stay(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){0});
    client_open(&client, &bench);
    client_send(&client, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    client_wait(&client, "GET /a 0");
    assert_non_null(strstr(client.seen.data, "Connection: keep-alive\r\n"));
    client_send(&client, "GET /b HTTP/1.0\r\n\r\n");
    assert_non_null(strstr(client_wait(&client, NULL), "GET /b 0"));
    client_close(&client);
    bench_stop(&bench);
}

static void on_injecting_request(void *ctx, struct httpd_req *req)
{
    static const struct http_header headers[] = {
        {"X-Good", "yes"},       {"X-Bad", "a\r\nX-Made-Up: 1"},   {"X Bad: x\r\nX-Made-Up", "1"},
        {"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}, {"", "x"},
    };

    (void)ctx;
    httpd_reply(req, &(struct httpd_res){.status = 200,
                                         .type = "a\r\nX-Made-Up: 1",
                                         .headers = headers,
                                         .header_count = ARRAY_LEN(headers),
                                         .body = "body",
                                         .body_len = 4});
}

static void no_value_becomes_a_header_of_its_own(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){.on_request = on_injecting_request});
    client_open(&client, &bench);
    client_send(&client, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    client_wait(&client, NULL);
    assert_non_null(strstr(client.seen.data, "X-Good: yes\r\n"));
    assert_null(strstr(client.seen.data, "X-Made-Up"));
    assert_null(strstr(client.seen.data, "chunked"));
    assert_non_null(strstr(client.seen.data, "Content-Length: 4\r\n"));
    assert_non_null(strstr(client.seen.data, "\r\n\r\nbody"));
    client_close(&client);
    bench_stop(&bench);
}

/* It has said all that it will, and still listens. */
static void a_half_closed_peer_is_answered(void **state)
{
    struct bench bench;
    struct client client;

    (void)state;
    bench_start(&bench, &(struct httpd_options){0});
    client_open(&client, &bench);
    client_send(&client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(shutdown(client.sock, SHUT_WR), 0);
    client_wait(&client, NULL);
    assert_non_null(strstr(client.seen.data, "GET /a 0"));
    assert_non_null(strstr(client.seen.data, "GET /b 0"));
    client_close(&client);
    bench_stop(&bench);
}

/* An answer that stands for more than the request is not lost in a reset because of what came behind it. */
static void a_refusal_is_read_whatever_else_was_sent(void **state)
{
    struct bench bench;
    struct client client;
    _cleanup_buf_ struct buf text;

    (void)state;
    buf_init(&text, MIB(1));
    buf_addf(&text, "PUT /big HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n%0150000d", 0);
    bench_start(&bench, &(struct httpd_options){.max_body = 10});
    client_open(&client, &bench);
    client_send(&client, text.data);
    assert_non_null(strstr(client_wait(&client, NULL), "HTTP/1.1 413 "));
    assert_int_equal(recv(client.sock, text.data, 1, 0), 0); /* an end, not a reset */
    client_close(&client);
    bench_stop(&bench);
}

static void on_empty(void *ctx)
{
    struct bench *bench = ctx;

    bench->empty = true;
    loop_stop(bench->loop);
}

static void draining_answers_and_ends_each_connection(void **state)
{
    struct bench bench;
    struct client kept, later;

    (void)state;
    bench_start(&bench, &(struct httpd_options){0});
    client_open(&kept, &bench);
    client_send(&kept, "GET /one HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&kept, "/one");
    httpd_drain(bench.httpd);
    client_send(&kept, "GET /two HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(client_wait(&kept, NULL), "Connection: close"));
    client_close(&kept);
    client_open(&later, &bench);
    client_send(&later, "GET /three HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(client_wait(&later, NULL), "/three"));
    client_close(&later);
    bench_stop(&bench);
}

static void finishing_waits_for_requests_and_ends_idle_connections(void **state)
{
    struct bench bench;
    struct client idle, busy;
    struct err err;

    (void)state;
    bench_start(&bench, &(struct httpd_options){0});
    client_open(&idle, &bench);
    client_send(&idle, "GET /idle HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&idle, "/idle");
    client_open(&busy, &bench);
    bench.hold = true;
    client_send(&busy, "GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&busy, NULL);
    httpd_finish(bench.httpd, on_empty, &bench);
    client_wait(&idle, NULL);
    client_close(&idle);
    assert_int_equal(httpd_connections(bench.httpd), 1);
    assert_false(bench.empty);
    reply(bench.held, 200, "done");
    while (!bench.empty)
        assert_int_equal(loop_run(bench.loop, &err), 0);
    assert_non_null(strstr(client_wait(&busy, NULL), "done"));
    client_close(&busy);
    bench_stop(&bench);
}

static void listening_on_nonsense_names_it(void **state)
{
    struct httpd_options options = {.listen = "nonsense", .on_request = bench_on_request};
    struct httpd *httpd = NULL;
    struct err err;
    struct loop *loop = loop_new(&err);

    (void)state;
    assert_int_equal(httpd_start(loop, &options, &httpd, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "nonsense"));
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_is_kept_for_the_next_request),
        cmocka_unit_test(list_is_a_method_even_when_pipelined_or_cut),
        cmocka_unit_test(dripping_client_is_cut_at_the_deadline),
        cmocka_unit_test(silent_client_is_cut_at_the_deadline),
        cmocka_unit_test(idle_connection_is_closed),
        cmocka_unit_test(body_over_the_limit_gets_413),
        cmocka_unit_test(body_over_the_usual_limit_is_refused_before_it_comes),
        cmocka_unit_test(headers_over_the_limit_are_refused),
        cmocka_unit_test(path_with_a_hidden_nul_is_refused),
        cmocka_unit_test(a_body_whose_end_is_not_clear_ends_its_connection),
        cmocka_unit_test(the_body_of_a_read_is_no_request),
        cmocka_unit_test(reply_may_come_later),
        cmocka_unit_test(reply_after_the_end_of_its_connection_is_dropped),
        cmocka_unit_test(at_the_maximum_others_wait_for_an_end),
        cmocka_unit_test(without_a_maximum_of_its_own_there_is_the_usual_one),
        cmocka_unit_test(at_the_maximum_the_laziest_makes_room),
        cmocka_unit_test(what_is_held_for_all_is_bounded),
        cmocka_unit_test(many_small_hoarders_keep_no_larger_request_out),
        cmocka_unit_test(what_is_refused_is_told_why),
        cmocka_unit_test(a_body_of_chunks_is_put_together),
        cmocka_unit_test(whoever_asks_first_is_told_to_go_on),
        cmocka_unit_test(a_head_is_answered_without_its_body),
        cmocka_unit_test(http_1_0_is_closed_unless_it_asks_to_stay),
        cmocka_unit_test(no_value_becomes_a_header_of_its_own),
        cmocka_unit_test(a_half_closed_peer_is_answered),
        cmocka_unit_test(a_refusal_is_read_whatever_else_was_sent),
        cmocka_unit_test(draining_answers_and_ends_each_connection),
        cmocka_unit_test(finishing_waits_for_requests_and_ends_idle_connections),
        cmocka_unit_test(listening_on_nonsense_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
