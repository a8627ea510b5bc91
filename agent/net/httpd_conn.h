/*
 * httpd_conn: one connection of a server, from its acceptance to its end; libevent's bufferevent carries its bytes.
 *
 * Private to httpd*.c. A connection is in one of `enum conn_state`; what happens in each is the table at the end of httpd_conn.c.
 */
#ifndef NET_HTTPD_CONN_H
#define NET_HTTPD_CONN_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <sys/queue.h>

#include "net/httpd_message.h"
#include "net/httpd_reader.h"
#include "net/listen.h"
#include "net/target.h"
#include "os/loop.h"
#include "tls/tls.h"

enum conn_state {
    CONN_OPENING,   /* TLS handshake, and the first byte */
    CONN_IDLE,      /* between two requests */
    CONN_HEAD,      /* a request has begun */
    CONN_BODY,      /* its head is there, its body comes */
    CONN_HANDLING,  /* it is whole, and the handler's */
    CONN_SENDING,   /* its answer is whole, and on its way */
    CONN_LINGERING, /* the last answer is out; what the peer still sends is passed over, so that it reads the answer */
    CONN_ENDED,
    CONN_STATES
};

/* Whom a streamed request waits for. */
enum conn_wait { WAIT_NOBODY, WAIT_SENDER, WAIT_TAKER, CONN_WAITS };

struct ssl_st;
struct request;

struct conn {
    struct httpd *httpd;
    struct bufferevent *bev;
    struct httpd_reader reader;
    struct loop_timer deadline;
    enum conn_state state;
    enum conn_wait wait;
    int64_t left_ms[CONN_WAITS];
    size_t paid; /* bytes that have not bought time yet */
    struct request *request;
    size_t held;   /* bytes of the request and of its answer */
    unsigned busy; /* calls that go on in it: it is freed behind the last one */
    bool last;     /* the answer on its way ends it */
    bool unread;   /* the request has not been read to its end */
    bool greedy;   /* it holds too much: no word more */
    bool eof;      /* the peer has said all */
    char peer[INET6_ADDRSTRLEN];
    LIST_ENTRY(conn) link;
};

struct request {
    struct httpd_req req; /* first: what handlers hold */
    struct conn *conn;    /* NULL when the peer has gone */
    struct httpd_head head;
    struct httpd_pieces pieces;
    struct evbuffer *body;
    struct pairs params;
    char *path;
    uint64_t left; /* of an answer whose length was said */
    bool streams, paused, started, chunked, mute, starved;
    char peer[INET6_ADDRSTRLEN];
};

struct evconnlistener;

struct httpd {
    struct loop *loop;
    struct evconnlistener *listener; /* NULL when it accepts no more */
    struct tls_server *tls;
    struct loop_timer accept_again;
    int64_t request_ms, idle_ms, send_ms;
    size_t count, max, held, max_held, max_body;
    bool make_room, draining, finishing;
    LIST_HEAD(, conn) conns;
    void (*on_empty)(void *ctx);
    void *empty_ctx;
    void (*on_head)(void *ctx, struct httpd_req *req);
    void (*on_request)(void *ctx, struct httpd_req *req);
    void *ctx;
    int64_t date_s; /* what `date` says */
    char date[32];
    char address[LISTEN_ADDRESS];
};

/* The descriptor is the connection's from now on. */
void conn_new(struct httpd *httpd, int fd, const char *peer);
/* Its request, if a handler has it, is told. */
void conn_end(struct conn *conn);
/* The answer is whole. */
void conn_send(struct conn *conn);
/* Its request comes or is answered in pieces from now on. */
void conn_stream(struct conn *conn);
/* What a streamed request waits for may have changed. */
void conn_wait_anew(struct conn *conn);
/* Read on behind a pause, a turn later. */
void conn_read_on(struct conn *conn);

/* In httpd.c: the last connection may have ended. */
void httpd_on_end(struct httpd *httpd);

/* In httpd_request.c. */
struct request *request_new(struct conn *conn, struct httpd_head *head); /* NULL: its target is no path */
void request_free(struct request *request);
/* The connection has gone. */
void request_lose(struct request *request);

/* In httpd_answer.c: status line and headers; `length` of the body, or HTTPD_ANY_LENGTH for one without an end that is said. */
struct answer {
    const struct httpd_res *res;
    uint64_t length;
    bool chunked, typed, close, http10;
};
void answer_head(struct evbuffer *out, struct httpd *httpd, const struct answer *answer);
/* Whether answers of this status have a body at all. */
bool answer_has_body(int status);

#endif
