#include "net/httpd.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "net/httpd_conn.h"

enum { BACKLOG = 1024, ACCEPT_RETRY_MS = 1000, REQUEST_MS = 10000, IDLE_MS = 120000, SEND_MS = 30000 };

/* -------------------------------------------------------------------------------------------------------- accepting */

static bool waits_for_its_peer(const struct conn *conn)
{
    return conn->state <= CONN_BODY && !(conn->request && conn->request->streams) && !conn->busy;
}

/* Full: the connection that is nearest its deadline goes, if it waits for its peer. A new one is served in milliseconds, so the
 * lazy ones go first. */
static void httpd_make_room(struct httpd *httpd)
{
    struct conn *conn, *first = NULL;

    LIST_FOREACH(conn, &httpd->conns, link)
    if (waits_for_its_peer(conn) && (!first || conn->deadline.at < first->deadline.at))
        first = conn;
    if (first)
        conn_end(first);
}

static void peer_print(const struct sockaddr *address, char ret[INET6_ADDRSTRLEN])
{
    *ret = '\0';
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, ret, INET6_ADDRSTRLEN);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, ret, INET6_ADDRSTRLEN);
}

static void on_accept(struct evconnlistener *listener, int fd, struct sockaddr *address, int len, void *ctx)
{
    struct httpd *httpd = ctx;
    char peer[INET6_ADDRSTRLEN];

    (void)len;
    loop_turn(httpd->loop);
    if (httpd->make_room && httpd->count + 1 >= httpd->max)
        httpd_make_room(httpd);
    peer_print(address, peer);
    conn_new(httpd, fd, peer);
    if (httpd->count >= httpd->max)
        evconnlistener_disable(listener);
}

/* Out of descriptors: accepting again at once would spin. */
static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
    struct httpd *httpd = ctx;

    loop_turn(httpd->loop);
    evconnlistener_disable(listener);
    timer_after(&httpd->accept_again, ACCEPT_RETRY_MS);
}

static void on_accept_again(void *ctx)
{
    struct httpd *httpd = ctx;

    if (httpd->count < httpd->max)
        evconnlistener_enable(httpd->listener);
}

static int listener_open(struct httpd *httpd, const char *address, struct err *err)
{
    const unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC;
    int fd;

    if (listen_open(address, &fd, httpd->address, err) != 0)
        return -1;
    httpd->listener = evconnlistener_new(loop_base(httpd->loop), on_accept, httpd, flags, BACKLOG, fd);
    if (!httpd->listener) {
        close(fd);
        return err_system(err, "listen on %s", address);
    }
    evconnlistener_set_error_cb(httpd->listener, on_accept_error);
    return 0;
}

static void listener_close(struct httpd *httpd)
{
    timer_stop(&httpd->accept_again);
    if (httpd->listener)
        evconnlistener_free(steal(httpd->listener));
}

/* -------------------------------------------------------------------------------------------------------- interface */

int httpd_start(struct loop *loop, const struct httpd_options *options, struct httpd **ret, struct err *err)
{
    struct httpd *httpd = mem_alloc(sizeof(*httpd));

    httpd->loop = loop;
    httpd->tls = options->tls;
    httpd->make_room = options->make_room;
    httpd->max_held = options->max_held;
    httpd->max_body = options->max_body ? options->max_body : LIMIT_REQUEST_BYTES;
    httpd->max = options->max_connections ? options->max_connections : LIMIT_SERVER_CONNECTIONS;
    httpd->request_ms = options->request_ms ? options->request_ms : REQUEST_MS;
    httpd->idle_ms = options->idle_ms ? options->idle_ms : IDLE_MS;
    httpd->send_ms = options->send_ms ? options->send_ms : SEND_MS;
    httpd->on_head = options->on_head;
    httpd->on_request = options->on_request;
    httpd->ctx = options->ctx;
    LIST_INIT(&httpd->conns);
    timer_init(&httpd->accept_again, loop, on_accept_again, httpd);
    if (listener_open(httpd, options->listen, err) != 0) {
        httpd_stop(httpd);
        return -1;
    }
    *ret = httpd;
    return 0;
}

void httpd_stop(struct httpd *httpd)
{
    if (!httpd)
        return;
    if (!strncmp(httpd->address, "unix://", 7))
        unlink(httpd->address + 7);
    httpd->on_empty = NULL;
    listener_close(httpd);
    while (!LIST_EMPTY(&httpd->conns))
        conn_end(LIST_FIRST(&httpd->conns));
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
    listener_close(httpd);
    for (conn = LIST_FIRST(&httpd->conns); conn; conn = next) {
        next = LIST_NEXT(conn, link);
        if (conn->state == CONN_IDLE)
            conn_end(conn);
    }
    httpd->on_empty = on_empty;
    httpd->empty_ctx = ctx;
    httpd_on_end(httpd);
}

/* A connection has ended, maybe the last one. */
void httpd_on_end(struct httpd *httpd)
{
    void (*on_empty)(void *ctx) = httpd->on_empty;

    if (httpd->listener && httpd->count + 1 == httpd->max && !timer_armed(&httpd->accept_again))
        evconnlistener_enable(httpd->listener);
    if (!httpd->finishing || httpd->count || !on_empty)
        return;
    httpd->on_empty = NULL;
    on_empty(httpd->empty_ctx);
}

const char *httpd_address(const struct httpd *httpd)
{
    return httpd->address;
}

size_t httpd_connections(const struct httpd *httpd)
{
    return httpd->count;
}
