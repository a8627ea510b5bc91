#include "net/http_pool.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    HTTP1_CONNECTIONS = 4,
    USER_TIMEOUT_MS =
        20000, /* sent and not acknowledged: the peer is gone; the kernel alone would try for a quarter of an hour */
};

struct pool_socket {
    struct pool_socket *next;
    struct http_pool *pool;
    curl_socket_t fd;
    struct loop_fd source;
};

/* ------------------------------------------------------------------------------------- libcurl's wishes to the loop */

static void harvest(struct http_pool *pool)
{
    CURLMsg *msg;
    int left;
    void *ctx;

    while ((msg = curl_multi_info_read(pool->multi, &left))) {
        CURLcode code = msg->data.result;

        if (msg->msg == CURLMSG_DONE && curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &ctx) == CURLE_OK)
            pool->on_over(ctx, code);
    }
}

/* The last exchange of a retired pool may end in here, so the pool is freed only at the end. */
static void act(struct http_pool *pool, curl_socket_t fd, int what)
{
    int running;

    pool->in_action = true;
    curl_multi_socket_action(pool->multi, fd, what, &running);
    harvest(pool);
    pool->in_action = false;
    if (pool->retired && pool->running == 0)
        pool_free(pool);
}

static void on_time(void *ctx)
{
    act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
    struct http_pool *pool = ctx;

    (void)multi;
    if (ms < 0)
        timer_stop(&pool->timer);
    else
        timer_after(&pool->timer, ms);
    return 0;
}

static void on_ready(void *ctx, int ready)
{
    struct pool_socket *socket = ctx;

    act(socket->pool, socket->fd, (ready & LOOP_READ ? CURL_CSELECT_IN : 0) | (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

static void unwatch(struct pool_socket *socket)
{
    struct pool_socket **link = &socket->pool->watched;

    while (*link != socket)
        link = &(*link)->next;
    *link = socket->next;
    fd_stop(&socket->source);
    mem_free(socket);
}

static struct pool_socket *watch(struct http_pool *pool, curl_socket_t fd)
{
    struct pool_socket *socket = mem_alloc(sizeof(*socket));

    *socket = (struct pool_socket){.next = pool->watched, .pool = pool, .fd = fd};
    pool->watched = socket;
    curl_multi_assign(pool->multi, fd, socket);
    return socket;
}

static int on_interest(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct pool_socket *socket = socket_ctx;
    int interest = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
    struct err err;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (socket)
            unwatch(socket);
        return 0;
    }
    if (!socket)
        socket = watch(ctx, fd);
    fd_stop(&socket->source);
    return fd_start(&socket->source, socket->pool->loop, fd, interest, on_ready, socket, &err);
}

/* ---------------------------------------------------------------------------------------------------------- sockets */

static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_pool *pool = ctx;
    const unsigned int limit = USER_TIMEOUT_MS;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if (address->family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit,
                         sizeof(limit)); /* a kernel without it has the deadline still */
    pool->open++;
    return fd;
}

static int on_close(void *ctx, curl_socket_t fd)
{
    struct http_pool *pool = ctx;

    pool->open--;
    return close(fd);
}

int pool_add(struct http_pool *pool, CURL *easy, struct err *err)
{
    CURLMcode code;

    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, pool);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, pool);
    code = curl_multi_add_handle(pool->multi, easy);
    if (code != CURLM_OK)
        return err_set(err, ERR_SYSTEM, "libcurl: %s", curl_multi_strerror(code));
    pool->running++;
    return 0;
}

void pool_remove(struct http_pool *pool, CURL *easy)
{
    curl_multi_remove_handle(pool->multi, easy);
    pool->running--;
    if (pool->retired && pool->running == 0 && !pool->in_action)
        pool_free(pool);
}

/* ------------------------------------------------------------------------------------------------ birth and the end */

struct http_pool *pool_new(struct loop *loop, void (*on_over)(void *ctx, CURLcode code), struct err *err)
{
    struct http_pool *pool = mem_alloc(sizeof(*pool));

    *pool = (struct http_pool){.loop = loop, .on_over = on_over, .multi = curl_multi_init()};
    if (!pool->multi) {
        mem_free(pool);
        err_set(err, ERR_SYSTEM, "libcurl: no multi handle");
        return NULL;
    }
    timer_init(&pool->timer, loop, on_time, pool);
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_interest);
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
    curl_multi_setopt(pool->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    pool_limit(pool, 0);
    return pool;
}

/* A pool has one host, so all of them are that host's. */
void pool_limit(struct http_pool *pool, unsigned connections)
{
    const long most = connections ? (long)connections : HTTP1_CONNECTIONS;

    curl_multi_setopt(pool->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
    curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, most);
}

void pool_free(struct http_pool *pool)
{
    if (!pool)
        return;
    curl_multi_cleanup(pool->multi);
    while (pool->watched)
        unwatch(pool->watched);
    timer_stop(&pool->timer);
    mem_free(pool);
}

void pool_retire(struct http_pool *pool)
{
    pool->retired = true;
    if (pool->running == 0 && !pool->in_action)
        pool_free(pool);
}
