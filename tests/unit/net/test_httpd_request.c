#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>

#include "net/httpd_bench.h"

/* Requests and answers in pieces: a handler that sends back what comes, and what the tests want of it. */
static struct {
    struct bench bench;
    struct httpd_req *req;
    bool pauses, silent, quiet; /* on_head: pause; on_body: no answer; on_head: no answer begun */
    size_t got, rooms, ends, gone;
    uint64_t length;
    const char *early; /* answered in on_head, whole */
} it;

static void on_body(void *ctx, struct httpd_req *req, const char *data, size_t len)
{
    assert_ptr_equal(ctx, &it);
    it.got += len;
    if (!it.silent && !httpd_reply_write(req, data, len))
        httpd_pause(req);
}

static void on_end(void *ctx, struct httpd_req *req)
{
    (void)ctx;
    it.ends++;
    if (!it.silent)
        httpd_reply_end(req);
    else
        loop_stop(it.bench.loop);
}

static void on_room(void *ctx, struct httpd_req *req)
{
    (void)ctx;
    it.rooms++;
    httpd_resume(req);
}

static void on_gone(void *ctx, struct httpd_req *req)
{
    (void)ctx;
    it.gone++;
    assert_false(httpd_is_heard(req));
    assert_true(httpd_reply_write(req, "x", 1)); /* says nothing to nobody */
    httpd_reply_cut(req);
    loop_stop(it.bench.loop);
}

static void on_head(void *ctx, struct httpd_req *req)
{
    static const struct httpd_pieces pieces = {
        .on_body = on_body, .on_end = on_end, .on_room = on_room, .on_gone = on_gone, .ctx = &it};

    (void)ctx;
    assert_string_equal(httpd_header(req, "host"), "x");
    if (it.early) {
        reply(req, 403, it.early);
        return;
    }
    it.req = req;
    httpd_stream(req, &pieces);
    if (it.pauses)
        httpd_pause(req);
    if (!it.quiet)
        httpd_reply_start(req, &(struct httpd_res){.status = 200, .type = "text/plain"}, it.length);
    if (it.quiet || it.pauses)
        loop_stop(it.bench.loop);
}

static void open_with(struct client *client, const struct httpd_options *options)
{
    struct httpd_options with = *options;

    with.on_head = on_head;
    it.length = it.length ? it.length : HTTPD_ANY_LENGTH;
    bench_start(&it.bench, &with);
    client_open(client, &it.bench);
}

static void close_all(struct client *client)
{
    client_close(client);
    bench_stop(&it.bench);
    memset(&it, 0, sizeof(it));
}

static void on_turn(void *ctx)
{
    (void)ctx;
    loop_stop(it.bench.loop);
}

static void run_for(int64_t ms)
{
    struct loop_timer timer;
    struct err err;

    timer_init(&timer, it.bench.loop, on_turn, NULL);
    timer_after(&timer, ms);
    assert_int_equal(loop_run(it.bench.loop, &err), 0);
    timer_stop(&timer);
}

static void a_body_goes_back_in_pieces(void **state)
{
    struct client client;

    (void)state;
    open_with(&client, &(struct httpd_options){.max_body = 2});
    client_send(&client, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
    client_wait(&client, "3\r\nabc\r\n");
    assert_int_equal(it.ends, 0);
    client_send(&client, "def");
    client_wait(&client, "3\r\ndef\r\n0\r\n\r\n");
    assert_non_null(strstr(client.seen.data, "Transfer-Encoding: chunked\r\n"));
    client_send(&client,
                "PUT /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ngh\r\n0\r\n\r\nGET /c HTTP/1.1\r\nHost: "
                "x\r\n\r\n");
    client_wait(&client, "2\r\ngh\r\n0\r\n\r\n");
    while (it.ends < 3)
        run_for(1);
    assert_int_equal(it.gone, 0);
    close_all(&client);
}

static size_t send_all(struct client *client, size_t len)
{
    static char piece[65536];
    size_t sent = 0;
    ssize_t n = 1;

    for (; n > 0 && sent<len; sent += n> 0 ? (size_t)n : 0)
        n = send(client->sock, piece, sizeof(piece) < len - sent ? sizeof(piece) : len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent;
}

/* Nobody reads: the peer has to wait, and little is held meanwhile. Then all of it arrives. A unix socket's kernel buffers are
 * small. */
static void a_peer_that_does_not_read_has_to_wait(void **state)
{
    const size_t whole = MIB(4);
    struct client client;
    size_t sent = 0, now, still = 0;
    char listen[64];
    struct err err;

    (void)state;
    it.length = whole;
    snprintf(listen, sizeof(listen), "unix:///tmp/ampule-test-httpd-%d", (int)getpid());
    open_with(&client, &(struct httpd_options){.listen = listen});
    fd_stop(&client.fd);
    client_send(&client, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4194304\r\n\r\n");
    while (still < 3) { /* neither side moves: both directions are full */
        now = send_all(&client, whole - sent);
        sent += now;
        still = now ? 0 : still + 1;
        run_for(2);
    }
    assert_true(sent < MIB(2));
    assert_in_range(it.got, LIMIT_STREAM_WINDOW_BYTES, MIB(1));
    assert_int_equal(fd_start(&client.fd, it.bench.loop, client.sock, LOOP_READ, client_on_ready, &client, &err), 0);
    while (it.ends == 0 || client.seen.len < whole) {
        sent += send_all(&client, whole - sent);
        run_for(1);
    }
    assert_true(it.rooms > 0);
    assert_int_equal(it.got, whole);
    close_all(&client);
}

static void an_answer_is_taken_up_to_its_window(void **state)
{
    static char piece[LIMIT_STREAM_WINDOW_BYTES];
    struct client client;

    (void)state;
    it.quiet = it.silent = true;
    open_with(&client, &(struct httpd_options){.send_ms = 100});
    fd_stop(&client.fd);
    client_send(&client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    run_for(10000);
    httpd_reply_start(it.req, &(struct httpd_res){.status = 200}, HTTPD_ANY_LENGTH);
    assert_true(httpd_reply_write(it.req, piece, sizeof(piece) / 2));
    assert_false(httpd_reply_write(it.req, piece, sizeof(piece) / 2));
    while (it.rooms == 0)
        run_for(1);
    /* What the kernel does not take any more is not taken at all: its peer has `send_ms`. */
    while (it.gone == 0) {
        while (it.req && it.gone == 0 && httpd_reply_write(it.req, piece, sizeof(piece)))
            continue;
        run_for(20);
    }
    assert_int_equal(httpd_connections(it.bench.httpd), 0);
    close_all(&client);
}

static int64_t processor_ms(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* Red looked like this: the whole time, one call after another. */
static void what_nobody_wants_yet_costs_no_time(void **state)
{
    struct client client;
    int64_t before;

    (void)state;
    it.quiet = it.silent = true;
    open_with(&client, &(struct httpd_options){0});
    client_send(&client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    while (!it.ends)
        run_for(10000);
    send_all(&client, 65536);
    run_for(50);
    before = processor_ms();
    run_for(400);
    assert_in_range(processor_ms() - before, 0, 100);
    close_all(&client);
}

static void whoever_goes_away_is_told(void **state)
{
    struct client client;

    (void)state;
    it.quiet = it.silent = true;
    open_with(&client, &(struct httpd_options){0});
    client_send(&client, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
    run_for(10000);
    assert_true(httpd_is_heard(it.req));
    shutdown(client.sock, SHUT_RDWR);
    while (!it.gone)
        run_for(10000);
    assert_int_equal(httpd_connections(it.bench.httpd), 0);
    close_all(&client);
    /* Also when all has been said, and the answer is waited for. */
    it.quiet = it.silent = true;
    open_with(&client, &(struct httpd_options){0});
    client_send(&client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    while (!it.ends)
        run_for(10000);
    shutdown(client.sock, SHUT_RDWR);
    while (!it.gone)
        run_for(10000);
    close_all(&client);
}

static void the_end_of_the_server_is_told(void **state)
{
    struct client client;

    (void)state;
    it.quiet = it.silent = true;
    open_with(&client, &(struct httpd_options){0});
    client_send(&client, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
    run_for(10000);
    httpd_stop(it.bench.httpd);
    it.bench.httpd = NULL;
    assert_int_equal(it.gone, 1);
    close_all(&client);
}

static void an_early_answer_ends_the_connection_and_asks_for_no_body(void **state)
{
    struct client client;

    (void)state;
    it.early = "no";
    open_with(&client, &(struct httpd_options){0});
    client_send(&client, "PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n");
    client_wait(&client, NULL);
    assert_non_null(strstr(client.seen.data, "HTTP/1.1 403 Forbidden\r\n"));
    assert_non_null(strstr(client.seen.data, "Connection: close\r\n"));
    assert_null(strstr(client.seen.data, "100 Continue"));
    client_close(&client);
    /* Without a body there is nothing to end it for. */
    client_open(&client, &it.bench);
    client_send(&client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&client, "no");
    client_send(&client, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    client_wait(&client, "no");
    close_all(&client);
}

static void a_paused_body_is_asked_for_when_it_is_wanted(void **state)
{
    struct client client;

    (void)state;
    it.quiet = it.pauses = it.silent = true;
    open_with(&client, &(struct httpd_options){.request_ms = 300});
    client_send(&client, "PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    run_for(10000);
    run_for(600); /* the time that the handler takes is not the peer's */
    assert_string_equal(client.seen.data, "");
    httpd_resume(it.req);
    client_wait(&client, "100 Continue\r\n\r\n");
    client_send(&client, "abc");
    while (!it.ends)
        run_for(10000);
    assert_int_equal(it.got, 3);
    httpd_reply_start(it.req, &(struct httpd_res){.status = 204}, HTTPD_ANY_LENGTH);
    httpd_reply_write(it.req, "not said", 8);
    httpd_reply_end(it.req);
    client_wait(&client, "204 No Content");
    assert_null(strstr(client.seen.data, "chunked"));
    assert_null(strstr(client.seen.data, "not said"));
    close_all(&client);
}

/* The whole takes longer than one request may, since each piece buys time; a byte buys none. */
static void bytes_buy_time(void **state)
{
    static char piece[LIMIT_STREAM_SLOWEST_BYTES + 1];
    struct client client;

    (void)state;
    memset(piece, 'x', sizeof(piece) - 1);
    it.quiet = it.silent = true;
    open_with(&client, &(struct httpd_options){.request_ms = 2000});
    client_send(&client, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    run_for(10000);
    for (int i = 0; i < 5; i++) {
        client_send(&client, piece);
        run_for(600);
        assert_int_equal(it.gone, 0);
    }
    while (!it.gone) {
        client_send(&client, "x");
        run_for(100);
    }
    assert_non_null(strstr(client_wait(&client, NULL), "HTTP/1.1 408 "));
    close_all(&client);
}

static void what_is_cut_is_seen_to_be_cut(void **state)
{
    struct client client;

    (void)state;
    it.quiet = it.silent = true;
    open_with(&client, &(struct httpd_options){0});
    client_send(&client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    run_for(10000);
    httpd_reply_start(it.req, &(struct httpd_res){.status = 200}, HTTPD_ANY_LENGTH);
    httpd_reply_write(it.req, "half", 4);
    client_wait(&client, "half\r\n");
    httpd_reply_cut(it.req);
    assert_null(strstr(client_wait(&client, NULL), "0\r\n\r\n"));
    client_close(&client);
    /* And so is an answer that is shorter than it said; longer it does not become. */
    client_open(&client, &it.bench);
    client_send(&client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    run_for(10000);
    httpd_reply_start(it.req, &(struct httpd_res){.status = 200}, 5);
    httpd_reply_write(it.req, "half", 4);
    httpd_reply_end(it.req);
    assert_int_equal(httpd_connections(it.bench.httpd), 0);
    client_wait(&client, NULL);
    client_close(&client);
    client_open(&client, &it.bench);
    client_send(&client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    run_for(10000);
    httpd_reply_start(it.req, &(struct httpd_res){.status = 200}, 5);
    httpd_reply_write(it.req, "whole and more", 14);
    httpd_reply_end(it.req);
    client_wait(&client, "\r\n\r\nwhole");
    assert_int_equal(httpd_connections(it.bench.httpd), 1);
    close_all(&client);
}

static void a_body_that_goes_wrong_is_told_to_both(void **state)
{
    struct client client;

    (void)state;
    it.quiet = it.silent = true;
    open_with(&client, &(struct httpd_options){0});
    client_send(&client, "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nz\r\n");
    run_for(10000);
    while (!it.gone)
        run_for(10000);
    assert_non_null(strstr(client_wait(&client, NULL), "HTTP/1.1 400 "));
    close_all(&client);
}

static void http_1_0_gets_no_chunks(void **state)
{
    struct client client;

    (void)state;
    open_with(&client, &(struct httpd_options){0});
    client_send(&client, "PUT /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc");
    client_wait(&client, NULL);
    assert_non_null(strstr(client.seen.data, "\r\n\r\nabc"));
    assert_null(strstr(client.seen.data, "chunked"));
    close_all(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_goes_back_in_pieces),
        cmocka_unit_test(a_peer_that_does_not_read_has_to_wait),
        cmocka_unit_test(an_answer_is_taken_up_to_its_window),
        cmocka_unit_test(what_nobody_wants_yet_costs_no_time),
        cmocka_unit_test(whoever_goes_away_is_told),
        cmocka_unit_test(the_end_of_the_server_is_told),
        cmocka_unit_test(an_early_answer_ends_the_connection_and_asks_for_no_body),
        cmocka_unit_test(a_paused_body_is_asked_for_when_it_is_wanted),
        cmocka_unit_test(bytes_buy_time),
        cmocka_unit_test(what_is_cut_is_seen_to_be_cut),
        cmocka_unit_test(a_body_that_goes_wrong_is_told_to_both),
        cmocka_unit_test(http_1_0_gets_no_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
