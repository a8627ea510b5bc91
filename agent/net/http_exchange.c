#include "net/http_exchange.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/http_error.h"

enum state {
    WAITING,  /* for addresses */
    RUNNING,  /* in libcurl */
    DRAINING, /* the answer is whole, the last pieces are not taken */
    OVER,     /* answer or error kept, to be delivered in the next turn */
    STATE_COUNT
};

enum event { ON_START, ON_PUMP, ON_END, ON_FAILED, ON_TIME, EVENT_COUNT };

struct news {
    CURLcode code;         /* ON_END */
    const struct err *err; /* ON_FAILED */
};

struct http_exchange {
    struct http_client *client;
    struct http_exchange *next, **link; /* in the client's list */
    http_done *done;
    void *ctx;

    enum state state;
    struct loop_timer timer; /* the deadline; once it is over: the delivery */
    struct loop_timer pump;  /* something happened to the stream */
    int64_t timeout_ms;
    struct http_request request;
    struct http_answer answer;
    struct http_stream stream;
    struct http_handle handle;
    struct http_pool *pool; /* while it runs */
    struct err err;         /* of one that failed */
};

static void dispatch(struct http_exchange *exchange, enum event event, const struct news *news);

/* ------------------------------------------------------------------------------------------------ over, and the end */

static void leave_libcurl(struct http_exchange *exchange)
{
    exchange->client->connections += http_handle_connections(&exchange->handle);
    if (exchange->pool)
        pool_remove(steal(exchange->pool), exchange->handle.easy);
    http_handle_close(&exchange->handle);
    http_request_forget(&exchange->request);
}

static void deliver_soon(struct http_exchange *exchange)
{
    leave_libcurl(exchange);
    exchange->state = OVER;
    timer_at(&exchange->timer, clock_now());
}

static void fail(struct http_exchange *exchange, const struct news *news)
{
    exchange->err = *news->err;
    deliver_soon(exchange);
}

/* The callback may free the client, so nothing of it is touched afterwards. */
static void deliver(struct http_exchange *exchange, const struct news *news)
{
    _cleanup_(buf_done) struct buf body = exchange->answer.res.body;
    struct http_res res = exchange->answer.res;
    struct err err = exchange->err;
    http_done *done = exchange->done;
    struct http_client *client = exchange->client;
    void *ctx = exchange->ctx;

    (void)news;
    buf_init_secret(&exchange->answer.res.body, 0);
    exchange_free(exchange);
    if (client->close_when_idle)
        http_client_close_idle(client);
    if (err.code != ERR_NONE) {
        done(ctx, NULL, &err);
        return;
    }
    done(ctx, &res, NULL);
    body = res.body;
}

static void late(struct http_exchange *exchange, const struct news *news)
{
    http_error_timeout(&exchange->client->way, exchange->timeout_ms, &exchange->err);
    if (exchange->pool)
        http_client_drop_pool(exchange->client, exchange->pool);
    deliver(exchange, news);
}

/* ------------------------------------------------------------------------------------------------------- in libcurl */

static void on_over(void *ctx, CURLcode code)
{
    dispatch(ctx, ON_END, &(struct news){.code = code});
}

static void start(struct http_exchange *exchange, const struct news *news)
{
    struct http_client *client = exchange->client;
    struct http_pool *pool;
    struct err err;

    (void)news;
    pool = http_client_pool(client, &exchange->handle.trusts, on_over, &err);
    if (!pool || http_handle_open(&exchange->handle, exchange, &err) != 0 || pool_add(pool, exchange->handle.easy, &err) != 0) {
        fail(exchange, &(struct news){.err = &err});
        return;
    }
    exchange->state = RUNNING;
    exchange->pool = pool;
    client->requests++;
}

/* Failed before any request was sent: the others that wait for the same connection would only try in vain one by one. */
static void fail_alike(struct http_client *client, struct http_pool *pool, const struct err *err)
{
    for (struct http_exchange *exchange = client->exchanges; exchange; exchange = exchange->next)
        if (exchange->pool == pool && !http_handle_has_begun(&exchange->handle))
            dispatch(exchange, ON_FAILED, &(struct news){.err = err});
    if (client->pool == pool)
        http_client_drop_pool(client, pool);
}

static void broken(struct http_exchange *exchange, CURLcode code)
{
    struct http_client *client = exchange->client;
    struct http_pool *pool = exchange->pool;
    bool begun = http_handle_has_begun(&exchange->handle);
    struct err err;

    http_error_explain(&exchange->handle, code, &err);
    fail(exchange, &(struct news){.err = &err});
    if (!begun && http_error_is_connect(code))
        fail_alike(client, pool, &err);
    else if (http_error_is_loss(code))
        http_client_drop_pool(client, pool);
}

static void ended(struct http_exchange *exchange, const struct news *news)
{
    if (news->code != CURLE_OK) {
        broken(exchange, news->code);
        return;
    }
    http_handle_result(&exchange->handle, &exchange->answer.res);
    if (!exchange->stream.on) {
        deliver_soon(exchange);
        return;
    }
    leave_libcurl(exchange);
    timer_stop(&exchange->timer); /* the caller alone is waited for */
    timer_at(&exchange->pump, clock_now());
    exchange->state = DRAINING;
}

/* ----------------------------------------------------------------------------------------------------------- pieces */

/* What the caller holds up is not the server's fault. */
static void out_of_time(struct http_exchange *exchange, const struct news *news)
{
    const struct http_stream *stream = &exchange->stream;

    if (stream->paused || stream->held || stream->starving)
        timer_after(&exchange->timer, exchange->timeout_ms);
    else
        late(exchange, news);
}

static void pass_on(struct http_exchange *exchange, const struct news *news)
{
    CURLcode code;

    (void)news;
    if (http_handle_keep_whole(&exchange->handle) < 0) {
        broken(exchange, CURLE_WRITE_ERROR);
        return;
    }
    code = http_handle_go_on(&exchange->handle);
    if (code != CURLE_OK) {
        broken(exchange, code);
        return;
    }
    timer_after(&exchange->timer, exchange->timeout_ms);
    http_stream_tell(&exchange->stream);
}

static void drain(struct http_exchange *exchange, const struct news *news)
{
    (void)news;
    if (http_handle_keep_whole(&exchange->handle) < 0)
        fail(exchange, &(struct news){.err = &exchange->handle.err});
    else if (!http_stream_tell(&exchange->stream) && http_stream_is_drained(&exchange->stream))
        deliver_soon(exchange);
}

/* ---------------------------------------------------------------------------------------------------------- machine */

static void (*const machine[STATE_COUNT][EVENT_COUNT])(struct http_exchange *exchange, const struct news *news) = {
    [WAITING] = {[ON_START] = start, [ON_FAILED] = fail, [ON_TIME] = late},
    [RUNNING] = {[ON_PUMP] = pass_on, [ON_END] = ended, [ON_FAILED] = fail, [ON_TIME] = out_of_time},
    [DRAINING] = {[ON_PUMP] = drain},
    [OVER] = {[ON_TIME] = deliver},
};

/* What a state has no row for does not concern it. */
static void dispatch(struct http_exchange *exchange, enum event event, const struct news *news)
{
    if (machine[exchange->state][event])
        machine[exchange->state][event](exchange, news);
}

static void on_time(void *ctx)
{
    dispatch(ctx, ON_TIME, NULL);
}

/* -------------------------------------------------------------------------------------------------------- interface */

static void on_pump(void *ctx)
{
    dispatch(ctx, ON_PUMP, NULL);
}

static void list_in(struct http_exchange *exchange, struct http_exchange **link)
{
    exchange->next = *link;
    exchange->link = link;
    if (exchange->next)
        exchange->next->link = &exchange->next;
    *link = exchange;
}

static void list_out(struct http_exchange *exchange)
{
    *exchange->link = exchange->next;
    if (exchange->next)
        exchange->next->link = exchange->link;
}

struct http_exchange *exchange_new(struct http_client *client, const struct http_req *req, http_done *done, void *ctx,
                                   struct err *err)
{
    struct http_exchange *exchange = mem_alloc(sizeof(*exchange));

    exchange->client = client;
    exchange->done = done;
    exchange->ctx = ctx;
    exchange->timeout_ms = req->timeout_ms ? req->timeout_ms : client->way.timeout_ms;
    exchange->handle.way = &client->way;
    exchange->handle.request = &exchange->request;
    exchange->handle.answer = &exchange->answer;
    exchange->handle.stream = &exchange->stream;
    http_answer_init(&exchange->answer, req->max_body);
    exchange->answer.any_encoding = req->pieces != NULL;
    http_stream_init(&exchange->stream, req->pieces, ctx, &exchange->pump);
    timer_init(&exchange->timer, client->loop, on_time, exchange);
    timer_init(&exchange->pump, client->loop, on_pump, exchange);
    list_in(exchange, &client->exchanges);
    if (http_request_init(&exchange->request, &client->way, req, err) != 0) {
        exchange_free(exchange);
        return NULL;
    }
    timer_after(&exchange->timer, exchange->timeout_ms);
    return exchange;
}

void exchange_free(struct http_exchange *exchange)
{
    timer_stop(&exchange->timer);
    timer_stop(&exchange->pump);
    leave_libcurl(exchange);
    list_out(exchange);
    http_request_done(&exchange->request);
    http_answer_done(&exchange->answer);
    http_stream_done(&exchange->stream);
    mem_free(exchange);
}

void exchange_start(struct http_exchange *exchange)
{
    dispatch(exchange, ON_START, NULL);
}

static struct http_exchange *oldest_waiting(struct http_client *client)
{
    struct http_exchange *found = NULL;

    for (struct http_exchange *exchange = client->exchanges; exchange; exchange = exchange->next)
        if (exchange->state == WAITING)
            found = exchange;
    return found;
}

void exchange_start_all(struct http_client *client)
{
    struct http_exchange *exchange;

    while ((exchange = oldest_waiting(client)))
        dispatch(exchange, ON_START, NULL);
}

void exchange_fail_all(struct http_client *client, const struct err *err)
{
    struct http_exchange *exchange;

    while ((exchange = oldest_waiting(client)))
        dispatch(exchange, ON_FAILED, &(struct news){.err = err});
}

bool exchange_write(struct http_exchange *exchange, const char *data, size_t len)
{
    struct err err;

    if (exchange->state >= DRAINING)
        return true; /* it was answered before it was sent */
    if (http_stream_write(&exchange->stream, data, len, &err) != 0)
        dispatch(exchange, ON_FAILED, &(struct news){.err = &err});
    return http_stream_has_room(&exchange->stream);
}

void exchange_end(struct http_exchange *exchange)
{
    http_stream_end(&exchange->stream);
}

void exchange_pause(struct http_exchange *exchange, bool paused)
{
    http_stream_pause(&exchange->stream, paused);
}
