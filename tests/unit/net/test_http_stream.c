#include "http_bench.h"

/* Bodies in pieces: the caller that is slow, the server that is slow, and the end in the middle. */

static struct http_exchange *exchange;
static struct reply reply;

static struct seen {
    int status, version;
    char headers[512];
    size_t bytes, pieces, largest, rooms;
    bool whole;       /* on_head() wants it whole */
    size_t pause_at;  /* after so many bytes */
    size_t cancel_at; /* likewise */
    bool cancel_head, cancel_room;
    size_t to_write, written, sum; /* the request's body */
    size_t piece;
    bool was_full;
} seen;

static void cancel(void)
{
    http_cancel(exchange);
    exchange = NULL;
    waiting--;
    loop_stop(loop);
}

static bool on_head(void *ctx, const struct http_head *head)
{
    assert_ptr_equal(ctx, &reply);
    assert_int_equal(seen.status, 0);
    seen.status = head->status;
    seen.version = head->http_version;
    for (size_t i = 0; i < head->header_count; i++)
        snprintf(seen.headers + strlen(seen.headers), sizeof(seen.headers) - strlen(seen.headers), "%s=%s;",
                 head->headers[i].name, head->headers[i].value);
    if (seen.cancel_head)
        cancel();
    return !seen.whole;
}

static void on_body(void *ctx, const char *data, size_t len)
{
    assert_ptr_equal(ctx, &reply);
    assert_int_not_equal(seen.status, 0);
    assert_false(reply.over);
    assert_true(len > 0 && data[len - 1]);
    seen.bytes += len;
    seen.pieces++;
    if (len > seen.largest)
        seen.largest = len;
    if (seen.pause_at && seen.bytes >= seen.pause_at) {
        seen.pause_at = 0;
        http_pause(exchange);
        loop_stop(loop);
    }
    if (seen.cancel_at && seen.bytes >= seen.cancel_at)
        cancel();
}

static char byte_at(size_t at)
{
    return (char)(at * 7 + at / 1000);
}

/* Until there is no room, or nothing left. */
static void write_some(void)
{
    char block[8192];
    bool room = true;

    while (room && seen.written < seen.to_write) {
        size_t len = seen.to_write - seen.written < seen.piece ? seen.to_write - seen.written : seen.piece;

        for (size_t i = 0; i < len; i++) {
            block[i] = byte_at(seen.written + i);
            seen.sum = seen.sum * 31 + (unsigned char)block[i];
        }
        seen.written += len;
        room = http_write(exchange, block, len);
    }
    if (!room)
        seen.was_full = true;
    if (seen.written == seen.to_write)
        http_end(exchange);
}

static void on_room(void *ctx)
{
    assert_ptr_equal(ctx, &reply);
    seen.rooms++;
    if (seen.cancel_room)
        cancel();
    else
        write_some();
}

static const struct http_pieces reading = {.on_head = on_head, .on_body = on_body};

static void begin(struct http_req req)
{
    seen = (struct seen){.piece = 8192};
    exchange = start(&reply, &req);
}

static void begin_read(const char *path)
{
    begin((struct http_req){.method = "GET", .path = path, .pieces = &reading});
}

/* ------------------------------------------------------------------------------------------------------- the answer */

static void stream_hands_over_head_and_pieces_of_an_answer(void **state)
{
    (void)state;
    plain();
    begin_read("/flood");
    finish();
    assert_string_equal(reply.err.text, "");
    assert_int_equal(seen.status, 203);
    assert_int_equal(seen.version, 11);
    assert_string_equal(seen.headers, "X-First=1;X-Second=two;Content-Encoding=gzip;Connection=close;");
    assert_int_equal(seen.bytes, FLOOD_BYTES);
    assert_true(seen.largest <= LIMIT_STREAM_WINDOW_BYTES);
    assert_int_equal(reply.status, 203);
    assert_int_equal(reply.body_len, 0);
}

static void stream_of_an_empty_answer_has_a_head(void **state)
{
    (void)state;
    plain();
    begin_read("/busy");
    finish();
    assert_int_equal(seen.status, 429);
    assert_int_equal(seen.pieces, 0);
    assert_int_equal(reply.status, 429);
    assert_int_equal(reply.retry_after, 17);
}

static void stream_that_is_not_wanted_comes_whole(void **state)
{
    (void)state;
    plain();
    begin_read("/hello");
    seen.whole = true;
    finish();
    assert_int_equal(seen.status, 200);
    assert_int_equal(seen.pieces, 0);
    assert_string_equal(reply.body, "hello");
}

static void stream_that_is_not_wanted_has_a_maximum(void **state)
{
    (void)state;
    plain();
    begin((struct http_req){.method = "GET", .path = "/flood", .pieces = &reading, .max_body = 1000});
    seen.whole = true;
    finish();
    assert_int_equal(reply.err.code, ERR_LIMIT);
    assert_non_null(strstr(reply.err.text, "more than 1000 bytes"));
    begin((struct http_req){.method = "GET", .path = "/hello", .pieces = &reading, .max_body = 4});
    seen.whole = true;
    finish();
    assert_int_equal(reply.err.code, ERR_LIMIT);
}

/* Another exchange, while the first goes on. */
static void hello(void)
{
    waiting--;
    assert_reply("/hello", 200, "hello");
    waiting++;
}

/* Until what the server could send stands still. */
static void wait_for_standstill(void)
{
    size_t before;

    do {
        before = __atomic_load_n(&shared->sent, __ATOMIC_SEQ_CST);
        for (int i = 0; i < 20; i++)
            hello();
    } while (before != __atomic_load_n(&shared->sent, __ATOMIC_SEQ_CST));
}

static void stream_that_is_paused_makes_the_server_wait(void **state)
{
    size_t bytes;

    (void)state;
    plain();
    begin_read("/flood");
    seen.pause_at = 1;
    finish();
    bytes = seen.bytes;
    wait_for_standstill();
    assert_int_equal(seen.bytes, bytes);
    assert_true(shared->sent < FLOOD_BYTES / 2);
    http_resume(exchange);
    finish();
    assert_string_equal(reply.err.text, "");
    assert_int_equal(seen.bytes, FLOOD_BYTES);
    assert_true(seen.largest <= LIMIT_STREAM_WINDOW_BYTES);
}

static void stream_is_taken_to_its_end_after_the_server_has_gone(void **state)
{
    (void)state;
    plain();
    begin_read("/hello");
    http_pause(exchange);
    wait_for_standstill();
    assert_int_equal(seen.status, 200); /* a head is told all the same */
    assert_false(reply.over);
    server_stop(&server);
    server.pid = 0;
    http_resume(exchange);
    finish();
    assert_int_equal(seen.bytes, 5);
    assert_int_equal(reply.status, 200);
}

static void stream_over_http2_is_paused_too(void **state)
{
    (void)state;
    secure((struct server_wish){.cert = &good, .http2 = true}, (struct http_options){.ca_cert = NULL});
    begin_read("/big");
    seen.pause_at = 1;
    finish();
    http_resume(exchange);
    seen.pause_at = H2_BIG_BYTES / 2;
    finish();
    assert_true(seen.bytes < H2_BIG_BYTES);
    http_resume(exchange);
    finish();
    assert_string_equal(reply.err.text, "");
    assert_int_equal(reply.version, 20);
    assert_int_equal(seen.version, 20);
    assert_int_equal(seen.bytes, H2_BIG_BYTES);
}

static void stream_that_is_cut_fails(void **state)
{
    (void)state;
    plain();
    begin_read("/cut");
    finish();
    assert_int_equal(reply.err.code, ERR_RETRY);
    assert_non_null(strstr(reply.err.text, "cut off"));
    assert_true(seen.bytes <= 4);
}

/* ------------------------------------------------------------------------------------------------------------- time */

static void on_enough(void *ctx)
{
    (void)ctx;
    loop_stop(loop);
}

static void run_for(int64_t ms)
{
    struct loop_timer timer;

    timer_init(&timer, loop, on_enough, NULL);
    timer_after(&timer, ms);
    finish();
    timer_stop(&timer);
}

static void stream_lives_as_long_as_bytes_come(void **state)
{
    (void)state;
    plain();
    begin((struct http_req){.method = "GET", .path = "/trickle", .pieces = &reading, .timeout_ms = 1500});
    run_for(3500);
    assert_false(reply.over);
    assert_true(seen.pieces > 1);
    http_cancel(exchange);
}

static void stream_waits_for_its_caller_without_a_deadline(void **state)
{
    (void)state;
    plain();
    begin((struct http_req){.method = "GET", .path = "/flood", .pieces = &reading, .timeout_ms = 1000});
    seen.pause_at = 1;
    finish();
    run_for(2500);
    assert_false(reply.over);
    http_resume(exchange);
    finish();
    assert_int_equal(seen.bytes, FLOOD_BYTES);
}

static void stream_gives_up_on_a_silent_server(void **state)
{
    (void)state;
    plain();
    begin((struct http_req){.method = "GET", .path = "/hang", .pieces = &reading, .timeout_ms = 50});
    finish();
    assert_non_null(strstr(reply.err.text, "no complete answer within 50 ms"));
}

/* ------------------------------------------------------------------------------------------------------ the request */

static void begin_write(const char *path, size_t len, uint64_t length)
{
    static struct http_pieces writing;

    writing = (struct http_pieces){.on_room = on_room, .writes = true, .length = length};
    begin((struct http_req){.method = "PUT", .path = path, .pieces = &writing});
    seen.to_write = len;
}

static void assert_sunk(const char *framing)
{
    char text[96];

    assert_string_equal(reply.err.text, "");
    assert_int_equal(reply.status, 200);
    snprintf(text, sizeof(text), "%zu %zu %s", seen.to_write, seen.sum, framing);
    assert_string_equal(reply.body, text);
}

static void stream_writes_a_request_of_known_length(void **state)
{
    (void)state;
    plain();
    begin_write("/sink", 3000001, 3000001);
    write_some();
    finish();
    assert_sunk("length");
    assert_true(seen.rooms > 0);
}

static void stream_writes_a_request_of_any_length(void **state)
{
    (void)state;
    plain();
    begin_write("/sink", 3000001, HTTP_ANY_LENGTH);
    write_some();
    finish();
    assert_sunk("chunked");
    begin_write("/sink", 0, HTTP_ANY_LENGTH);
    write_some();
    finish();
    assert_sunk("chunked");
}

/* The rest comes when the server has had all before: libcurl waits for it. */
static void stream_waits_for_a_slow_caller(void **state)
{
    (void)state;
    plain();
    begin_write("/sink", 30, HTTP_ANY_LENGTH);
    for (size_t i = 0; i < 3; i++) {
        for (size_t at = 0; at < 10; at++) {
            char byte = byte_at(seen.written++);

            seen.sum = seen.sum * 31 + (unsigned char)byte;
            assert_true(http_write(exchange, &byte, 1));
        }
        hello();
        assert_false(reply.over);
    }
    http_end(exchange);
    finish();
    assert_sunk("chunked");
}

static void stream_makes_its_writer_wait_for_the_server(void **state)
{
    enum { LEN = 40 << 20 };

    (void)state;
    plain();
    begin_write("/sink-gated", LEN, LEN);
    write_some();
    wait_for_standstill();
    assert_true(seen.was_full);
    assert_true(seen.written < LEN / 2);
    __atomic_store_n(&shared->open, true, __ATOMIC_SEQ_CST);
    finish();
    assert_sunk("length");
}

static void stream_of_a_request_and_answer_at_once(void **state)
{
    static const struct http_pieces both = {
        .on_head = on_head, .on_body = on_body, .on_room = on_room, .writes = true, .length = HTTP_ANY_LENGTH};

    (void)state;
    plain();
    begin((struct http_req){.method = "POST", .path = "/sink", .pieces = &both});
    seen.to_write = 200000;
    write_some();
    finish();
    assert_int_equal(seen.status, 200);
    assert_int_equal(reply.status, 200);
    assert_true(seen.bytes > 0);
}

static void stream_refuses_more_or_less_than_was_announced(void **state)
{
    (void)state;
    plain();
    begin_write("/sink", 0, 10);
    http_write(exchange, "0123456789x", 11);
    finish();
    assert_int_equal(reply.err.code, ERR_INPUT);
    assert_non_null(strstr(reply.err.text, "more of the request's body"));
    begin_write("/sink", 0, 10);
    http_write(exchange, "012345678", 9);
    http_end(exchange);
    finish();
    assert_int_equal(reply.err.code, ERR_INPUT);
    assert_non_null(strstr(reply.err.text, "ended before the length"));
}

static void stream_refuses_a_writer_that_does_not_wait(void **state)
{
    static const char block[LIMIT_STREAM_WINDOW_BYTES];

    (void)state;
    plain();
    begin_write("/sink-gated", 0, HTTP_ANY_LENGTH);
    assert_false(http_write(exchange, block, sizeof(block)));
    assert_false(http_write(exchange, block, sizeof(block)));
    http_write(exchange, block, 1);
    finish();
    assert_int_equal(reply.err.code, ERR_LIMIT);
    assert_non_null(strstr(reply.err.text, "than there is room for"));
}

/* ------------------------------------------------------------------------------------------------ end in the middle */

static void stream_is_cancelled_inside_each_callback(void **state)
{
    (void)state;
    plain();
    begin_read("/flood");
    seen.cancel_head = true;
    finish();
    assert_int_equal(seen.pieces, 0);
    begin_read("/flood");
    seen.cancel_at = 1000000;
    finish();
    assert_true(seen.bytes < 1000000 + LIMIT_STREAM_WINDOW_BYTES);
    begin_write("/sink", 3000000, HTTP_ANY_LENGTH);
    seen.cancel_room = true;
    write_some();
    finish();
    assert_int_equal(seen.rooms, 1);
    assert_false(reply.over);
    assert_reply("/hello", 200, "hello");
}

static void stream_is_cancelled_while_it_is_paused(void **state)
{
    (void)state;
    plain();
    begin_read("/flood");
    seen.pause_at = 1;
    finish();
    http_cancel(exchange);
    waiting--;
    assert_reply("/hello", 200, "hello");
    begin_read("/flood");
    seen.pause_at = 1;
    finish();
    http_client_free(client);
    client = NULL;
    assert_false(reply.over);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(stream_hands_over_head_and_pieces_of_an_answer),
        TEST(stream_of_an_empty_answer_has_a_head),
        TEST(stream_that_is_not_wanted_comes_whole),
        TEST(stream_that_is_not_wanted_has_a_maximum),
        TEST(stream_that_is_paused_makes_the_server_wait),
        TEST(stream_is_taken_to_its_end_after_the_server_has_gone),
        TEST(stream_over_http2_is_paused_too),
        TEST(stream_that_is_cut_fails),
        TEST(stream_lives_as_long_as_bytes_come),
        TEST(stream_waits_for_its_caller_without_a_deadline),
        TEST(stream_gives_up_on_a_silent_server),
        TEST(stream_writes_a_request_of_known_length),
        TEST(stream_writes_a_request_of_any_length),
        TEST(stream_waits_for_a_slow_caller),
        TEST(stream_makes_its_writer_wait_for_the_server),
        TEST(stream_of_a_request_and_answer_at_once),
        TEST(stream_refuses_more_or_less_than_was_announced),
        TEST(stream_refuses_a_writer_that_does_not_wait),
        TEST(stream_is_cancelled_inside_each_callback),
        TEST(stream_is_cancelled_while_it_is_paused),
    };

    return cmocka_run_group_tests(tests, world_make, world_remove);
}
