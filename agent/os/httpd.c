#include "os/httpd.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/bufferevent_struct.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "os/listen.h"

enum { GATHERED_BYTES = 65536, BACKLOG = 1024, ACCEPT_RETRY_MS = 1000, EVHTTP_NEVER_S = 86400 };

/* A connection is in one of these; each but HANDLING, which belongs to the handler, has a deadline. */
enum phase { PHASE_OPENING, PHASE_IDLE, PHASE_RECEIVING, PHASE_HANDLING, PHASE_SENDING, PHASES };

struct request;

struct conn {
    struct httpd *httpd;
    struct bufferevent *bev;
    struct evhttp_connection *evcon;
    struct event *adopt;
    struct loop_timer deadline;
    enum phase phase;
    const char *method; /* the real one of a request that evhttp takes for a GET */
    bool sniffing;      /* the method of the coming request is not yet known */
    struct request *request;
    size_t held; /* bytes of the request and of its answer */
    size_t fd;
    LIST_ENTRY(conn) link;
};

struct request {
    struct httpd_req req; /* first: what handlers hold */
    struct conn *conn;    /* NULL when the peer has gone */
    struct evhttp_request *ev; /* ours until the answer is sent, so that it outlives its connection */
    struct evkeyvalq params;
    char *path;
};

struct httpd {
    struct loop *loop;
    struct evhttp *evhttp;
    struct evconnlistener *listener; /* NULL when it accepts no more */
    struct evhttp_bound_socket *bound;
    struct tls_server *tls;
    struct loop_timer accept_again;
    int64_t limits_ms[PHASES];
    size_t count, max, held, max_held;
    bool make_room, draining, finishing;
    LIST_HEAD(, conn) conns;
    struct conn **by_fd; /* evhttp hands over its own connection objects only; their descriptors lead to ours */
    size_t by_fd_len;
    void (*on_empty)(void *ctx);
    void *empty_ctx;
    void (*on_request)(void *ctx, struct httpd_req *req);
    void *ctx;
    char address[LISTEN_ADDRESS];
};

/* ------------------------------------------------------------------------------------------------------------- connections */

static void conn_end(struct conn *conn)
{
    evhttp_connection_free(conn->evcon); /* calls conn_on_close() */
}

static bool conn_is_before(const struct conn *a, const struct conn *b)
{
    return a->deadline.at == b->deadline.at ? a->held > b->held : a->deadline.at < b->deadline.at;
}

/* What a handler has is the handler's to end. */
static bool conn_may_go(const struct conn *conn)
{
    return conn->evcon && conn->held > 0 && conn->phase != PHASE_HANDLING;
}

/* Of those that hold not much less than the others, the one nearest its deadline: neither a small request among large ones nor a new one among old. */
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

/* Who sends much and never ends, or asks for much and never reads, must not use up the memory of all. Inside a callback of its own it ends a turn later. */
static void conn_hold(struct conn *conn, size_t bytes)
{
    struct httpd *httpd = conn->httpd;
    struct conn *hoarder;

    conn->held += bytes;
    httpd->held += bytes;
    while (httpd->max_held && httpd->held > httpd->max_held && (hoarder = httpd_hoarder(httpd))) {
        if (hoarder == conn) {
            timer_after(&conn->deadline, 0);
            return;
        }
        conn_end(hoarder);
    }
}

static void conn_let_go(struct conn *conn)
{
    conn->httpd->held -= conn->held;
    conn->held = 0;
}

static void conn_enter(struct conn *conn, enum phase phase)
{
    conn->phase = phase;
    if (conn->httpd->limits_ms[phase])
        timer_after(&conn->deadline, conn->httpd->limits_ms[phase]);
    else
        timer_stop(&conn->deadline);
}

/*
 * evhttp of libevent 2.1 knows a fixed set of methods. Vault's two further ones are reads with another name, so the word is
 * exchanged in the input before evhttp sees it and remembered here.
 */
static void conn_sniff(struct conn *conn)
{
    static const char *const methods[] = {"LIST", "SCAN"};
    struct evbuffer *input = bufferevent_get_input(conn->bev);
    char word[5];

    if (evbuffer_get_length(input) < sizeof(word))
        return;
    conn->sniffing = false;
    conn->method = NULL;
    if (evbuffer_copyout(input, word, sizeof(word)) != (ev_ssize_t)sizeof(word) || word[4] != ' ')
        return;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (!memcmp(word, methods[i], 4)) {
            conn->method = methods[i];
            evbuffer_drain(input, sizeof(word));
            evbuffer_prepend(input, "GET ", 4);
        }
}

static void conn_on_bytes(struct conn *conn)
{
    if (conn->phase <= PHASE_IDLE) {
        conn_enter(conn, PHASE_RECEIVING);
        conn->sniffing = true;
    }
    if (conn->sniffing)
        conn_sniff(conn);
}

static void conn_on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *ctx)
{
    struct conn *conn = ctx;

    (void)input;
    loop_turn(conn->httpd->loop);
    if (!info->n_added)
        return;
    conn_on_bytes(conn);
    conn_hold(conn, info->n_added);
}

/* The answer is out: the same connection waits for the next request, which may have been sent already. */
static void conn_on_sent(struct evhttp_request *ev, void *ctx)
{
    struct conn *conn = ctx;

    (void)ev;
    loop_turn(conn->httpd->loop);
    conn_let_go(conn);
    conn_enter(conn, PHASE_IDLE);
    if (!evbuffer_get_length(bufferevent_get_input(conn->bev)))
        return;
    conn_on_bytes(conn);
    conn_hold(conn, evbuffer_get_length(bufferevent_get_input(conn->bev)));
}

static void httpd_check_empty(struct httpd *httpd)
{
    void (*on_empty)(void *ctx) = httpd->on_empty;

    if (!httpd->finishing || httpd->count || !on_empty)
        return;
    httpd->on_empty = NULL;
    on_empty(httpd->empty_ctx);
}

static void conn_remember(struct conn *conn)
{
    struct httpd *httpd = conn->httpd;
    size_t fd = (size_t)bufferevent_getfd(conn->bev), room = httpd->by_fd_len ? httpd->by_fd_len : 64;

    while (room <= fd)
        room *= 2;
    if (room > httpd->by_fd_len) {
        httpd->by_fd = mem_grow(httpd->by_fd, httpd->by_fd_len * sizeof(*httpd->by_fd), room * sizeof(*httpd->by_fd));
        httpd->by_fd_len = room;
    }
    httpd->by_fd[fd] = conn;
    conn->fd = fd;
}

static void conn_free(struct conn *conn)
{
    struct httpd *httpd = conn->httpd;

    if (conn->request)
        conn->request->conn = NULL;
    conn_let_go(conn);
    timer_stop(&conn->deadline);
    event_free(conn->adopt);
    LIST_REMOVE(conn, link);
    if (conn->evcon)
        httpd->by_fd[conn->fd] = NULL;
    if (httpd->count-- == httpd->max && httpd->listener)
        evconnlistener_enable(httpd->listener);
    mem_free(conn);
    httpd_check_empty(httpd);
}

static void conn_on_close(struct evhttp_connection *evcon, void *ctx)
{
    (void)evcon;
    conn_free(ctx);
}

/* Never while a handler has the request: that phase has no deadline. */
static void conn_on_deadline(void *ctx)
{
    conn_end(ctx);
}

/* Full: the connection that is nearest its deadline goes, if it waits for its peer. A new one is served in milliseconds, so the lazy ones go first. */
static void httpd_make_room(struct httpd *httpd)
{
    struct conn *conn, *first = NULL;

    LIST_FOREACH(conn, &httpd->conns, link)
    if (conn->evcon && conn->phase <= PHASE_RECEIVING && (!first || conn->deadline.at < first->deadline.at))
        first = conn;
    if (first)
        conn_end(first);
}

/*
 * evhttp offers its connection object only with the first whole request, which a hostile peer never sends. It is the argument of
 * the callbacks that evhttp has set on the bufferevent by now (libevent 2.2 has evhttp_set_newreqcb() for this).
 */
static void conn_adopt(evutil_socket_t fd, short what, void *ctx)
{
    struct conn *conn = ctx;
    void *evcon = NULL;

    (void)fd, (void)what;
    bufferevent_getcb(conn->bev, NULL, NULL, NULL, &evcon);
    conn->evcon = evcon;
    conn_remember(conn);
    evhttp_connection_set_closecb(conn->evcon, conn_on_close, conn);
    conn_enter(conn, PHASE_OPENING);
    /* Of those accepted in one turn none could be ended for the next. */
    if (conn->httpd->make_room && conn->httpd->count == conn->httpd->max)
        httpd_make_room(conn->httpd);
}

static struct bufferevent *httpd_on_accept(struct event_base *base, void *ctx)
{
    struct httpd *httpd = ctx;
    struct conn *conn = mem_alloc(sizeof(*conn));
    struct ssl_st *ssl = httpd->tls ? tls_server_session(httpd->tls) : NULL;
    int flags = BEV_OPT_CLOSE_ON_FREE;

    loop_turn(httpd->loop);
    if (httpd->make_room && httpd->count + 1 == httpd->max)
        httpd_make_room(httpd);
    conn->httpd = httpd;
    conn->bev = ssl ? bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, flags)
                    : bufferevent_socket_new(base, -1, flags);
    conn->adopt = event_new(base, -1, 0, conn_adopt, conn);
    if (!conn->bev || !conn->adopt || (httpd->tls && !ssl))
        abort(); /* out of memory; going on would make evhttp serve this connection without TLS */
    if (ssl)
        bufferevent_openssl_set_allow_dirty_shutdown(conn->bev, 1);
    timer_init(&conn->deadline, httpd->loop, conn_on_deadline, conn);
    evbuffer_add_cb(bufferevent_get_input(conn->bev), conn_on_input, conn);
    LIST_INSERT_HEAD(&httpd->conns, conn, link);
    if (++httpd->count == httpd->max)
        evconnlistener_disable(httpd->listener);
    /* Runs later in this very turn, before the socket can be polled: the connection cannot end in between. */
    event_active(conn->adopt, EV_TIMEOUT, 0);
    return conn->bev;
}

/* ---------------------------------------------------------------------------------------------------------------- requests */

static const char *method_name(enum evhttp_cmd_type type)
{
    static const struct {
        enum evhttp_cmd_type type;
        const char *name;
    } rows[] = {
        {EVHTTP_REQ_GET, "GET"},       {EVHTTP_REQ_POST, "POST"},   {EVHTTP_REQ_PUT, "PUT"},         {EVHTTP_REQ_HEAD, "HEAD"},
        {EVHTTP_REQ_DELETE, "DELETE"}, {EVHTTP_REQ_PATCH, "PATCH"}, {EVHTTP_REQ_OPTIONS, "OPTIONS"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].type == type)
            return rows[i].name;
    return "";
}

/* The path without its escapes; NULL when it hides a NUL byte. */
static char *path_decode(struct evhttp_request *ev)
{
    const char *raw = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(ev));
    size_t len = 0;
    char *decoded = evhttp_uridecode(raw ? raw : "/", 0, &len), *path = NULL;

    if (decoded && strlen(decoded) == len)
        path = mem_strndup(*decoded ? decoded : "/", *decoded ? len : 1);
    mem_free(decoded);
    return path;
}

static struct conn *conn_of(struct httpd *httpd, struct evhttp_request *ev)
{
    struct evhttp_connection *evcon = evhttp_request_get_connection(ev);
    size_t fd = (size_t)bufferevent_getfd(evhttp_connection_get_bufferevent(evcon));

    return fd < httpd->by_fd_len ? httpd->by_fd[fd] : NULL;
}

static struct request *request_new(struct conn *conn, struct evhttp_request *ev, char *path)
{
    struct request *request = mem_alloc(sizeof(*request));
    struct evbuffer *input = evhttp_request_get_input_buffer(ev);
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(ev));

    TAILQ_INIT(&request->params);
    if (query && evhttp_parse_query_str(query, &request->params) < 0)
        evhttp_clear_headers(&request->params);
    evhttp_request_own(ev);
    request->conn = conn;
    request->ev = ev;
    request->path = path;
    request->req = (struct httpd_req){
        .method = conn->method ? conn->method : method_name(evhttp_request_get_command(ev)),
        .target = evhttp_request_get_uri(ev),
        .path = path,
        .body_len = evbuffer_get_length(input),
        .body = (const char *)evbuffer_pullup(input, -1),
        .peer = ev->remote_host ? ev->remote_host : "",
    };
    if (!request->req.body)
        request->req.body = "";
    conn->request = request;
    return request;
}

/* How the request says where its body ends. */
struct framing {
    size_t lengths, encodings;
    bool odd; /* a length that is no number, an encoding that evhttp does not know and passes over */
};

static struct framing framing_of(struct evhttp_request *ev)
{
    struct framing framing = {0};
    struct evkeyval *header;

    TAILQ_FOREACH(header, evhttp_request_get_input_headers(ev), next)
    if (!strcasecmp(header->key, "Content-Length")) {
        framing.lengths++;
        framing.odd |= !*header->value || header->value[strspn(header->value, "0123456789")];
    } else if (!strcasecmp(header->key, "Transfer-Encoding")) {
        framing.encodings++;
        framing.odd |= strcasecmp(header->value, "chunked") != 0;
    }
    return framing;
}

/* Two readers of one such request could disagree where the next one begins, and that could then be anybody's. */
static bool framing_is_clear(const struct framing *framing)
{
    return framing->lengths + framing->encodings <= 1 && !framing->odd;
}

static void httpd_on_evhttp(struct evhttp_request *ev, void *ctx)
{
    struct httpd *httpd = ctx;
    struct conn *conn = conn_of(httpd, ev);
    struct framing framing = framing_of(ev);
    char *path = framing_is_clear(&framing) ? path_decode(ev) : NULL;

    evhttp_request_set_on_complete_cb(ev, conn_on_sent, conn);
    if (!path) {
        conn_enter(conn, PHASE_SENDING);
        evhttp_send_error(ev, HTTP_BADREQUEST, NULL);
        return;
    }
    conn_enter(conn, PHASE_HANDLING);
    httpd->on_request(httpd->ctx, &request_new(conn, ev, path)->req);
}

const char *httpd_header(struct httpd_req *req, const char *name)
{
    struct request *request = (struct request *)req;

    return evhttp_find_header(evhttp_request_get_input_headers(request->ev), name);
}

bool httpd_is_heard(const struct httpd_req *req)
{
    return ((const struct request *)req)->conn != NULL;
}

const char *httpd_param(struct httpd_req *req, const char *name)
{
    return evhttp_find_header(&((struct request *)req)->params, name);
}

/* Head and body in one piece: one TLS record and one system call instead of two. */
static void conn_gather(struct conn *conn)
{
    struct evbuffer *output = bufferevent_get_output(conn->bev);

    if (evbuffer_get_length(output) <= GATHERED_BYTES)
        evbuffer_pullup(output, -1);
}

/* The socket most likely takes the answer: written in this turn of the loop it costs no wait for that, and nothing when it does not. */
static void conn_write_now(struct conn *conn)
{
    event_active(&conn->bev->ev_write, EV_WRITE, 0);
}

static void request_send(struct request *request, const struct httpd_res *res)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request->ev);
    struct evbuffer *body = evbuffer_new();

    if (!body)
        abort();
    if (res->body_len)
        evbuffer_add(body, res->body, res->body_len);
    if (res->body)
        evhttp_add_header(headers, "Content-Type", res->type ? res->type : "application/json");
    for (size_t i = 0; i < res->header_count; i++)
        evhttp_add_header(headers, res->headers[i].name, res->headers[i].value);
    if (request->conn->httpd->draining)
        evhttp_add_header(headers, "Connection", "close");
    request->conn->request = NULL;
    request->ev->flags &= ~EVHTTP_USER_OWNED; /* evhttp frees it when it is sent, or cannot be */
    conn_enter(request->conn, PHASE_SENDING);
    evhttp_send_reply(request->ev, res->status, NULL, body);
    conn_gather(request->conn);
    conn_hold(request->conn, res->body_len);
    conn_write_now(request->conn);
    evbuffer_free(body);
}

void httpd_reply(struct httpd_req *req, const struct httpd_res *res)
{
    struct request *request = (struct request *)req;

    if (request->conn)
        request_send(request, res);
    else
        evhttp_request_free(request->ev);
    evhttp_clear_headers(&request->params);
    mem_free(request->path);
    mem_free(request);
}

/* --------------------------------------------------------------------------------------------------------------- listening */

/* Out of descriptors: accepting again at once would spin. */
static void httpd_on_accept_error(struct evconnlistener *listener, void *ctx)
{
    struct httpd *httpd = ctx;

    loop_turn(httpd->loop);
    evconnlistener_disable(listener);
    timer_after(&httpd->accept_again, ACCEPT_RETRY_MS);
}

static void httpd_accept_again(void *ctx)
{
    struct httpd *httpd = ctx;

    if (httpd->count < httpd->max)
        evconnlistener_enable(httpd->listener);
}

static int listener_open(struct httpd *httpd, const char *address, struct err *err)
{
    const unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC;
    int fd;

    if (listen_open(address, &fd, httpd->address, err) < 0)
        return -1;
    httpd->listener = evconnlistener_new(loop_base(httpd->loop), NULL, NULL, flags, BACKLOG, fd);
    if (!httpd->listener) {
        close(fd);
        return err_system(err, "listen on %s", address);
    }
    evconnlistener_set_error_cb(httpd->listener, httpd_on_accept_error);
    httpd->bound = evhttp_bind_listener(httpd->evhttp, httpd->listener);
    if (!httpd->bound)
        abort();
    return 0;
}

static void evhttp_configure(struct httpd *httpd, const struct httpd_options *options)
{
    evhttp_set_max_body_size(httpd->evhttp, (ev_ssize_t)(options->max_body ? options->max_body : LIMIT_REQUEST_BYTES));
    evhttp_set_max_headers_size(httpd->evhttp, (ev_ssize_t)LIMIT_REQUEST_HEADER_BYTES);
    evhttp_set_allowed_methods(httpd->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_HEAD |
                                                  EVHTTP_REQ_DELETE | EVHTTP_REQ_PATCH | EVHTTP_REQ_OPTIONS);
    evhttp_set_timeout(httpd->evhttp, EVHTTP_NEVER_S); /* the deadlines are ours */
    evhttp_set_bevcb(httpd->evhttp, httpd_on_accept, httpd);
    evhttp_set_gencb(httpd->evhttp, httpd_on_evhttp, httpd);
}

int httpd_start(struct loop *loop, const struct httpd_options *options, struct httpd **ret, struct err *err)
{
    struct httpd *httpd = mem_alloc(sizeof(*httpd));

    httpd->loop = loop;
    httpd->tls = options->tls;
    httpd->make_room = options->make_room;
    httpd->max_held = options->max_held;
    httpd->max = options->max_connections ? options->max_connections : LIMIT_SERVER_CONNECTIONS;
    httpd->limits_ms[PHASE_IDLE] = options->idle_ms ? options->idle_ms : 120000;
    httpd->limits_ms[PHASE_OPENING] = httpd->limits_ms[PHASE_RECEIVING] = options->request_ms ? options->request_ms : 10000;
    httpd->limits_ms[PHASE_SENDING] = options->send_ms ? options->send_ms : 30000;
    httpd->on_request = options->on_request;
    httpd->ctx = options->ctx;
    LIST_INIT(&httpd->conns);
    timer_init(&httpd->accept_again, loop, httpd_accept_again, httpd);
    httpd->evhttp = evhttp_new(loop_base(loop));
    if (!httpd->evhttp)
        abort();
    evhttp_configure(httpd, options);
    if (listener_open(httpd, options->listen, err) < 0) {
        httpd_stop(httpd);
        return -1;
    }
    *ret = httpd;
    return 0;
}

void httpd_stop(struct httpd *httpd)
{
    struct conn *conn;

    if (!httpd)
        return;
    if (!strncmp(httpd->address, "unix://", 7))
        unlink(httpd->address + 7);
    httpd->listener = NULL; /* evhttp_free() closes it, and conn_free() must not touch it then */
    LIST_FOREACH(conn, &httpd->conns, link)
    if (!conn->evcon)
        conn_adopt(-1, 0, conn); /* accepted in this turn; evhttp_free() shall tell us of its end too */
    timer_stop(&httpd->accept_again);
    httpd->on_empty = NULL;
    evhttp_free(httpd->evhttp);
    mem_free(httpd->by_fd);
    mem_free(httpd);
}

void httpd_drain(struct httpd *httpd)
{
    httpd->draining = true;
}

void httpd_finish(struct httpd *httpd, void (*on_empty)(void *ctx), void *ctx)
{
    struct conn *conn, *next;

    httpd->draining = httpd->finishing = true;
    timer_stop(&httpd->accept_again);
    evhttp_del_accept_socket(httpd->evhttp, httpd->bound);
    httpd->listener = NULL;
    for (conn = LIST_FIRST(&httpd->conns); conn; conn = next) {
        next = LIST_NEXT(conn, link);
        if (conn->evcon && conn->phase == PHASE_IDLE)
            conn_end(conn);
    }
    httpd->on_empty = on_empty;
    httpd->empty_ctx = ctx;
    httpd_check_empty(httpd);
}

const char *httpd_address(const struct httpd *httpd)
{
    return httpd->address;
}

size_t httpd_connections(const struct httpd *httpd)
{
    return httpd->count;
}
