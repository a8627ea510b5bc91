#include "net/httpd_conn.h"

#include <event2/bufferevent_ssl.h>
#include <event2/bufferevent_struct.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

enum conn_event { ON_BYTES, ON_ROOM, ON_EOF, ON_ERROR, ON_TIME, EVENTS };

enum { READ_AHEAD = 16384, LINGER_MS = 1000 };

static void dispatch(struct conn *conn, enum conn_event event);

static struct evbuffer *input_of(const struct conn *conn)
{
    return bufferevent_get_input(conn->bev);
}

static size_t waiting_out(const struct conn *conn)
{
    return evbuffer_get_length(bufferevent_get_output(conn->bev));
}

/* ---------------------------------------------------------------------------------------------------- what it holds */

static bool conn_is_before(const struct conn *a, const struct conn *b)
{
    return a->deadline.at == b->deadline.at ? a->held > b->held : a->deadline.at < b->deadline.at;
}

/* What a handler has is the handler's to end. */
static bool conn_may_go(const struct conn *conn)
{
    return conn->held > 0 && conn->state != CONN_HANDLING && !(conn->request && conn->request->streams);
}

/* Of those that hold not much less than the others, the one nearest its deadline: neither a small request among large ones nor a
 * new one among old. */
static struct conn *httpd_hoarder(const struct httpd *httpd)
{
    struct conn *conn, *first = NULL;
    size_t holders = 0, held = 0;

    LIST_FOREACH(conn, &httpd->conns, link)
    if (conn_may_go(conn)) {
        holders++;
        held += conn->held;
    }
    LIST_FOREACH(conn, &httpd->conns, link)
    if (conn_may_go(conn) && conn->held > held / holders / 2 && (!first || conn_is_before(conn, first)))
        first = conn;
    return first;
}

/* Who sends much and never ends, or asks for much and never reads, must not use up the memory of all. Inside a callback of its
 * own it ends a turn later. */
static void conn_hold(struct conn *conn, size_t bytes)
{
    struct httpd *httpd = conn->httpd;
    struct conn *hoarder;

    conn->held += bytes;
    httpd->held += bytes;
    while (httpd->max_held && httpd->held > httpd->max_held && (hoarder = httpd_hoarder(httpd))) {
        if (hoarder == conn || hoarder->busy) {
            hoarder->greedy = true;
            timer_after(&hoarder->deadline, 0);
            return;
        }
        conn_end(hoarder);
    }
}

static void conn_let_go(struct conn *conn, size_t bytes)
{
    bytes = bytes < conn->held ? bytes : conn->held;
    conn->held -= bytes;
    conn->httpd->held -= bytes;
}

/* -------------------------------------------------------------------------------------------------------- deadlines */

static void read_again(struct conn *conn)
{
    if (!(bufferevent_get_enabled(conn->bev) & EV_READ) && !conn->eof)
        bufferevent_enable(conn->bev, EV_READ);
}

static void conn_enter(struct conn *conn, enum conn_state state)
{
    const struct httpd *httpd = conn->httpd;
    const int64_t limits[CONN_STATES] = {
        [CONN_OPENING] = httpd->request_ms, [CONN_IDLE] = httpd->idle_ms, [CONN_HEAD] = httpd->request_ms,
        [CONN_SENDING] = httpd->send_ms,    [CONN_LINGERING] = LINGER_MS,
    };

    conn->state = state;
    if (limits[state])
        timer_after(&conn->deadline, limits[state]);
    else if (state == CONN_HANDLING)
        timer_stop(&conn->deadline);
}

/* The time that is left for one side does not run while the other one is waited for. */
void conn_wait_anew(struct conn *conn)
{
    const struct request *request = conn->request;
    bool reads = conn->state == CONN_BODY && !(request && request->paused);
    enum conn_wait wait = reads ? WAIT_SENDER : waiting_out(conn) ? WAIT_TAKER : WAIT_NOBODY;

    if (!request || !request->streams || wait == conn->wait)
        return;
    if (conn->wait != WAIT_NOBODY)
        conn->left_ms[conn->wait] = conn->deadline.at - clock_now();
    if (conn->wait == WAIT_TAKER && !waiting_out(conn))
        conn->left_ms[WAIT_TAKER] = conn->httpd->send_ms;
    conn->wait = wait;
    conn->paid = 0;
    if (wait == WAIT_NOBODY)
        timer_stop(&conn->deadline);
    else
        timer_after(&conn->deadline, conn->left_ms[wait]);
}

/* Bytes buy time for further ones, but never more than there was at first. */
static void conn_buy(struct conn *conn, enum conn_wait wait, size_t bytes)
{
    int64_t bought, most = clock_now() + (wait == WAIT_SENDER ? conn->httpd->request_ms : conn->httpd->send_ms);

    if (conn->wait != wait || !bytes)
        return;
    conn->paid += bytes;
    bought = (int64_t)(conn->paid / (LIMIT_STREAM_SLOWEST_BYTES / 1000));
    conn->paid %= LIMIT_STREAM_SLOWEST_BYTES / 1000;
    timer_at(&conn->deadline, conn->deadline.at + bought < most ? conn->deadline.at + bought : most);
}

void conn_stream(struct conn *conn)
{
    conn->left_ms[WAIT_SENDER] = conn->httpd->request_ms;
    conn->left_ms[WAIT_TAKER] = conn->httpd->send_ms;
    conn->wait = WAIT_NOBODY;
    timer_stop(&conn->deadline);
    conn_wait_anew(conn);
}

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *ctx)
{
    (void)input;
    if (info->n_added)
        conn_hold(ctx, info->n_added);
}

static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *ctx)
{
    struct conn *conn = ctx;

    (void)output;
    if (info->n_added)
        conn_hold(conn, info->n_added);
    conn_let_go(conn, info->n_deleted);
    conn_buy(conn, WAIT_TAKER, info->n_deleted);
}

/* -------------------------------------------------------------------------------------------------------------- end */

static void conn_free(struct conn *conn)
{
    httpd_reader_done(&conn->reader);
    evbuffer_remove_cb(input_of(conn), on_input, conn);
    evbuffer_remove_cb(bufferevent_get_output(conn->bev), on_output, conn);
    bufferevent_free(conn->bev);
    mem_free(conn);
}

static void conn_goodbye(struct conn *conn)
{
    struct ssl_st *ssl = bufferevent_openssl_get_ssl(conn->bev);

    if (ssl)
        tls_server_goodbye(ssl);
}

void conn_end(struct conn *conn)
{
    struct httpd *httpd = conn->httpd;
    struct request *request = steal(conn->request);
    bool handed = request && (request->streams || conn->state == CONN_HANDLING);

    if (conn->state == CONN_ENDED)
        return;
    conn_enter(conn, CONN_ENDED);
    timer_stop(&conn->deadline);
    conn_let_go(conn, conn->held);
    LIST_REMOVE(conn, link);
    httpd->count--;
    conn->wait = WAIT_NOBODY;
    bufferevent_setcb(conn->bev, NULL, NULL, NULL, NULL);
    bufferevent_disable(conn->bev, EV_READ | EV_WRITE);
    if (handed)
        request_lose(request);
    else if (request)
        request_free(request);
    if (!conn->busy)
        conn_free(conn);
    httpd_on_end(httpd);
}

/* ---------------------------------------------------------------------------------------------------------- answers */

/* The socket most likely takes the answer: written in this turn of the loop it costs no wait for that, and nothing when it does
 * not. */
static void conn_write_now(struct conn *conn)
{
    event_active(&conn->bev->ev_write, EV_WRITE, 0);
}

void conn_send(struct conn *conn)
{
    enum conn_wait wait = conn->wait;

    conn->wait = WAIT_NOBODY;
    if (wait == WAIT_TAKER)
        conn->state = CONN_SENDING; /* its time goes on */
    else
        conn_enter(conn, CONN_SENDING);
    if (waiting_out(conn))
        conn_write_now(conn);
    else
        bufferevent_trigger(conn->bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
}

/* What is not read to its end ends the connection: nobody could tell where the next request begins. */
static void conn_refuse(struct conn *conn, int status)
{
    struct request *request = conn->request;
    bool handed = request && request->streams, started = request && request->started;

    if (started || conn->greedy) {
        conn_end(conn);
        return;
    }
    conn->request = NULL;
    conn->last = conn->unread = true;
    answer_head(bufferevent_get_output(conn->bev), conn->httpd,
                &(struct answer){.res = &(struct httpd_res){.status = status}, .close = true});
    conn_send(conn);
    if (handed)
        request_lose(request);
    else if (request)
        request_free(request);
}

static void too_slow(struct conn *conn)
{
    conn_refuse(conn, 408);
}

/* A connection that is closed while bytes of its peer are on their way is reset, and the answer may be lost with it. */
static void linger(struct conn *conn)
{
    conn_goodbye(conn);
    shutdown(bufferevent_getfd(conn->bev), SHUT_WR);
    conn_enter(conn, CONN_LINGERING);
    read_again(conn);
    dispatch(conn, ON_BYTES);
}

/* The answer is out: the same connection waits for the next request, which may have been sent already. */
static void sent(struct conn *conn)
{
    if (waiting_out(conn))
        return;
    conn_let_go(conn, conn->held);
    if (conn->last && (conn->unread || evbuffer_get_length(input_of(conn)))) {
        linger(conn);
    } else if (conn->last || conn->httpd->finishing) {
        conn_goodbye(conn);
        conn_end(conn);
    } else {
        conn_enter(conn, CONN_IDLE);
        read_again(conn);
        if (evbuffer_get_length(input_of(conn))) {
            conn_hold(conn, evbuffer_get_length(input_of(conn)));
            dispatch(conn, ON_BYTES);
        } else if (conn->eof) {
            conn_end(conn);
        }
    }
}

static void offer_room(struct conn *conn)
{
    struct request *request = conn->request;

    if (!request || !request->streams)
        return;
    conn_wait_anew(conn);
    if (!request->starved || waiting_out(conn) > LIMIT_STREAM_WINDOW_BYTES / 2)
        return;
    request->starved = false;
    if (request->pieces.on_room)
        request->pieces.on_room(request->pieces.ctx, &request->req);
}

/* --------------------------------------------------------------------------------------------------------- requests */

/* Whoever asks first whether its body is welcome is told so, once. */
static void conn_continue(struct conn *conn)
{
    struct request *request = conn->request;

    if (!request->head.expects_continue || conn->state != CONN_BODY || request->started)
        return;
    request->head.expects_continue = false;
    evbuffer_add_printf(bufferevent_get_output(conn->bev), "HTTP/1.1 100 Continue\r\n\r\n");
    conn_write_now(conn);
}

static void deliver(struct conn *conn)
{
    struct request *request = conn->request;

    conn_enter(conn, CONN_HANDLING);
    if (request->streams) {
        conn->wait = WAIT_NOBODY;
        conn_wait_anew(conn);
        if (request->pieces.on_end)
            request->pieces.on_end(request->pieces.ctx, &request->req);
        return;
    }
    if (request->body) {
        request->req.body_len = evbuffer_get_length(request->body);
        request->req.body = (const char *)evbuffer_pullup(request->body, -1);
    }
    conn->httpd->on_request(conn->httpd->ctx, &request->req);
}

/* Whether the body that is announced may come. */
static void body_begins(struct conn *conn)
{
    const struct request *request = conn->request;

    if (!request->streams && request->head.length != UINT64_MAX && request->head.length > conn->httpd->max_body)
        conn_refuse(conn, 413);
    else if (!request->paused)
        conn_continue(conn);
}

static void take_head(struct conn *conn)
{
    struct httpd_head head = httpd_reader_take(&conn->reader);
    struct request *request = request_new(conn, &head);

    if (!request) {
        conn_refuse(conn, 400);
        return;
    }
    conn->request = request;
    conn->state = request->head.has_body ? CONN_BODY : CONN_HEAD;
    if (conn->httpd->on_head)
        conn->httpd->on_head(conn->httpd->ctx, &request->req);
    if (conn->request != request)
        return; /* answered already, or gone */
    if (conn->state == CONN_BODY)
        body_begins(conn);
    else
        deliver(conn);
}

static void take_piece(struct conn *conn)
{
    struct request *request = conn->request;
    const struct httpd_reader *reader = &conn->reader;

    if (request->streams) {
        conn_buy(conn, WAIT_SENDER, reader->piece_len);
        if (request->pieces.on_body)
            request->pieces.on_body(request->pieces.ctx, &request->req, reader->piece, reader->piece_len);
        return;
    }
    if (!request->body && !(request->body = evbuffer_new()))
        abort();
    if (evbuffer_get_length(request->body) + reader->piece_len > conn->httpd->max_body)
        conn_refuse(conn, 413);
    else
        evbuffer_add(request->body, reader->piece, reader->piece_len);
}

static void take(struct conn *conn, enum httpd_read what)
{
    if (what == READ_HEAD)
        take_head(conn);
    else if (what == READ_BODY)
        take_piece(conn);
    else if (what == READ_END)
        deliver(conn);
    else if (what == READ_BAD)
        conn_refuse(conn, conn->reader.status);
}

static bool conn_reads(const struct conn *conn)
{
    return conn->state == CONN_HEAD || (conn->state == CONN_BODY && !conn->request->paused);
}

/* Nobody wants its bytes now. Reading goes on for a while, since that is how the peer's end shows. (A high watermark would have
 * libevent call us again and again.) */
static void hold_back(struct conn *conn)
{
    if (evbuffer_get_length(input_of(conn)) >= READ_AHEAD)
        bufferevent_disable(conn->bev, EV_READ);
}

/* As far as the state goes: a whole request is answered before the next one is looked at. */
static void receive(struct conn *conn)
{
    struct evbuffer *input = input_of(conn);
    struct evbuffer_iovec part;
    bool passes_on;
    size_t used;

    while (conn_reads(conn) && evbuffer_peek(input, -1, NULL, &part, 1) > 0 && part.iov_len) {
        passes_on = conn->request && conn->request->streams;
        take(conn, httpd_reader_next(&conn->reader, part.iov_base, part.iov_len, &used));
        evbuffer_drain(input, used);
        if (passes_on)
            conn_let_go(conn, used);
    }
    if (conn->eof && conn_reads(conn))
        conn_end(conn);
    else if (!conn_reads(conn))
        hold_back(conn);
}

static void begin(struct conn *conn)
{
    conn_enter(conn, CONN_HEAD);
    receive(conn);
}

static void discard(struct conn *conn)
{
    evbuffer_drain(input_of(conn), evbuffer_get_length(input_of(conn)));
    conn_let_go(conn, conn->held);
}

void conn_read_on(struct conn *conn)
{
    if (conn->state != CONN_BODY)
        return;
    conn_wait_anew(conn);
    conn_continue(conn);
    read_again(conn);
    bufferevent_trigger(conn->bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS | BEV_TRIG_IGNORE_WATERMARKS);
}

/* The peer has said all that it will: it may still listen. With TLS libevent has stopped writing. */
static void half_closed(struct conn *conn)
{
    const struct request *request = conn->request;

    conn->eof = true;
    if (bufferevent_openssl_get_ssl(conn->bev) || (request && request->streams && request->pieces.on_gone))
        conn_end(conn);
}

/* ---------------------------------------------------------------------------------------------------------- machine */

static void (*const machine[CONN_STATES][EVENTS])(struct conn *conn) = {
    [CONN_OPENING] = {[ON_BYTES] = begin, [ON_EOF] = conn_end, [ON_ERROR] = conn_end, [ON_TIME] = conn_end},
    [CONN_IDLE] = {[ON_BYTES] = begin, [ON_EOF] = conn_end, [ON_ERROR] = conn_end, [ON_TIME] = conn_end},
    [CONN_HEAD] = {[ON_BYTES] = receive, [ON_EOF] = conn_end, [ON_ERROR] = conn_end, [ON_TIME] = too_slow},
    [CONN_BODY] =
        {[ON_BYTES] = receive, [ON_ROOM] = offer_room, [ON_EOF] = conn_end, [ON_ERROR] = conn_end, [ON_TIME] = too_slow},
    [CONN_HANDLING] =
        {[ON_BYTES] = hold_back, [ON_ROOM] = offer_room, [ON_EOF] = half_closed, [ON_ERROR] = conn_end, [ON_TIME] = conn_end},
    [CONN_SENDING] =
        {[ON_BYTES] = hold_back, [ON_ROOM] = sent, [ON_EOF] = half_closed, [ON_ERROR] = conn_end, [ON_TIME] = conn_end},
    [CONN_LINGERING] = {[ON_BYTES] = discard, [ON_EOF] = conn_end, [ON_ERROR] = conn_end, [ON_TIME] = conn_end},
};

/* What a state has no row for does not concern it. Within a call the connection may end; its memory stays until here. */
static void dispatch(struct conn *conn, enum conn_event event)
{
    loop_turn(conn->httpd->loop);
    conn->busy++;
    if (machine[conn->state][event])
        machine[conn->state][event](conn);
    if (!--conn->busy && conn->state == CONN_ENDED)
        conn_free(conn);
}

static void on_bytes(struct bufferevent *bev, void *ctx)
{
    (void)bev;
    dispatch(ctx, ON_BYTES);
}

static void on_room(struct bufferevent *bev, void *ctx)
{
    (void)bev;
    dispatch(ctx, ON_ROOM);
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
    (void)bev;
    if (what & (BEV_EVENT_ERROR | BEV_EVENT_EOF))
        dispatch(ctx, what & BEV_EVENT_ERROR ? ON_ERROR : ON_EOF);
}

static void on_time(void *ctx)
{
    dispatch(ctx, ON_TIME);
}

void conn_new(struct httpd *httpd, int fd, const char *peer)
{
    struct conn *conn = mem_alloc(sizeof(*conn));
    struct event_base *base = loop_base(httpd->loop);
    struct ssl_st *ssl = httpd->tls ? tls_server_session(httpd->tls) : NULL;

    conn->httpd = httpd;
    conn->bev = ssl ? bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
                    : bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!conn->bev || (httpd->tls && !ssl))
        abort(); /* out of memory; going on would serve this connection without TLS */
    if (ssl)
        bufferevent_openssl_set_allow_dirty_shutdown(conn->bev, 1);
    snprintf(conn->peer, sizeof(conn->peer), "%s", peer);
    httpd_reader_init(&conn->reader);
    timer_init(&conn->deadline, httpd->loop, on_time, conn);
    LIST_INSERT_HEAD(&httpd->conns, conn, link);
    httpd->count++;
    conn_enter(conn, CONN_OPENING);
    evbuffer_add_cb(input_of(conn), on_input, conn);
    evbuffer_add_cb(bufferevent_get_output(conn->bev), on_output, conn);
    bufferevent_setcb(conn->bev, on_bytes, on_room, on_event, conn);
    bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
}
