/*
 * httpd_bench: one server and any number of raw clients on one loop, for the tests of httpd*.
 *
 * The loop ends when a client has seen the end of its connection or `until` in the answer.
 */
#ifndef TESTS_HTTPD_BENCH_H
#define TESTS_HTTPD_BENCH_H

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "net/httpd.h"

struct bench {
    struct loop *loop;
    struct httpd *httpd;
    struct httpd_req *held; /* kept by on_request when `hold` is set */
    bool hold, empty;
    unsigned requests;
    char last[256]; /* "METHOD path body-length" of the last request */
};

struct client {
    struct bench *bench;
    struct loop_fd fd;
    int sock;
    const char *until;
    struct buf seen;
};

static inline void reply(struct httpd_req *req, int status, const char *body)
{
    httpd_reply(req, &(struct httpd_res){.status = status, .type = "text/plain", .body = body, .body_len = strlen(body)});
}

static inline void bench_on_request(void *ctx, struct httpd_req *req)
{
    struct bench *bench = ctx;
    const char *q = httpd_param(req, "q");

    bench->requests++;
    snprintf(bench->last, sizeof(bench->last), "%s %s %zu %s", req->method, req->path, req->body_len, q ? q : "-");
    if (bench->hold) {
        bench->held = req;
        loop_stop(bench->loop);
        return;
    }
    reply(req, 200, bench->last);
}

static inline void bench_start(struct bench *bench, const struct httpd_options *extra)
{
    struct httpd_options options = *extra;
    struct err err;

    if (!options.listen)
        options.listen = "127.0.0.1:0";
    if (!options.on_request)
        options.on_request = bench_on_request;
    options.ctx = bench;
    *bench = (struct bench){.loop = loop_new(&err)};
    assert_non_null(bench->loop);
    assert_int_equal(httpd_start(bench->loop, &options, &bench->httpd, &err), 0);
}

static inline void bench_stop(struct bench *bench)
{
    httpd_stop(bench->httpd);
    loop_free(bench->loop);
}

static inline void client_on_ready(void *ctx, int ready)
{
    struct client *client = ctx;
    char part[4096];
    ssize_t n = read(client->sock, part, sizeof(part));

    (void)ready;
    if (n > 0)
        buf_add(&client->seen, part, (size_t)n);
    if (n <= 0 || (client->until && strstr(client->seen.data, client->until)))
        loop_stop(client->bench->loop);
}

static inline int connect_tcp(const char *address)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint64_t port = 0;

    assert_true(cursor_whole_uint(strrchr(address, ':') + 1, 10, 65535, &port));
    sin.sin_port = htons((uint16_t)port);
    assert_int_equal(connect(sock, (struct sockaddr *)&sin, sizeof(sin)), 0);
    return sock;
}

static inline int connect_unix(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
    assert_int_equal(connect(sock, (struct sockaddr *)&sun, sizeof(sun)), 0);
    return sock;
}

static inline void client_open(struct client *client, struct bench *bench)
{
    const char *address = httpd_address(bench->httpd);
    bool is_unix = strncmp(address, "unix://", 7) == 0;
    struct err err;

    *client = (struct client){.bench = bench, .sock = is_unix ? connect_unix(address + 7) : connect_tcp(address)};
    buf_init(&client->seen, MIB(8));
    assert_int_equal(fd_start(&client->fd, bench->loop, client->sock, LOOP_READ, client_on_ready, client, &err), 0);
}

static inline void client_close(struct client *client)
{
    fd_stop(&client->fd);
    close(client->sock);
    buf_done(&client->seen);
}

static inline void client_send(struct client *client, const char *text)
{
    assert_int_equal(send(client->sock, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Run until `until` was answered, or with NULL until the server closes. */
static inline const char *client_wait(struct client *client, const char *until)
{
    struct err err;

    client->until = until;
    assert_int_equal(loop_run(client->bench->loop, &err), 0);
    return client->seen.data;
}

#endif
