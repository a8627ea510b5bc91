/*
 * injector_load: sends recorded admission reviews over TLS on many connections and says how long the answers took.
 *
 *   injector_load PORT BODIES CONNECTIONS SECONDS keep|new|idle
 *
 * BODIES: each review as its length in decimal, a newline, its bytes; they are sent in turn. keep: connections stay; new: one for
 * each request; idle: connections are opened, each sends one request, then "ready" is printed and they stay until SECONDS are
 * over. Prints one JSON object. One thread, so that the rest of the machine is the server's; certificates are not verified.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 4000, MAX_BODIES = 4096, ANSWER_ROOM = 1 << 20, MAX_SAMPLES = 1 << 22 };

struct message {
    char *data;
    size_t len;
};

struct conn {
    int fd;
    SSL *ssl;
    bool open; /* the handshake is over */
    const struct message *sending;
    size_t sent, got, want; /* want: bytes of the whole answer, 0 while its head is incomplete */
    bool chunked;           /* want is not known before the last chunk */
    bool rests;
    int64_t start;
    uint32_t interest;
};

static SSL_CTX *ctx;
static struct sockaddr_in server = {.sin_family = AF_INET};
static struct message bodies[MAX_BODIES];
static size_t body_count, body_next;
static struct conn conns[MAX_CONNECTIONS];
static char answer[MAX_CONNECTIONS][4096]; /* the head of the answer; the rest is only counted */
static uint32_t *samples;                  /* microseconds */
static size_t sample_count, failures, bad_status, resting;
static bool anew, idle;
static int epoll;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void bodies_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t len;

    if (!file)
        die(path);
    while (body_count < MAX_BODIES && fscanf(file, "%zu", &len) == 1 && fgetc(file) == '\n') {
        struct message *message = &bodies[body_count++];
        char head[256];
        int n = snprintf(
            head, sizeof(head),
            "POST /mutate?timeout=10s HTTP/1.1\r\nHost: injector\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
            len);

        message->data = malloc((size_t)n + len);
        message->len = (size_t)n + len;
        memcpy(message->data, head, (size_t)n);
        if (fread(message->data + n, 1, len, file) != len)
            die("BODIES");
    }
    fclose(file);
}

static void conn_interest(struct conn *conn, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(conn - conns)};

    if (conn->interest == events)
        return;
    epoll_ctl(epoll, conn->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, conn->fd, &event);
    conn->interest = events;
}

static void conn_begin(struct conn *conn)
{
    conn->sending = &bodies[body_next++ % body_count];
    conn->sent = conn->got = conn->want = 0;
    conn->chunked = false;
    if (!anew || !conn->start)
        conn->start = now_us();
}

static void conn_open(struct conn *conn)
{
    memset(conn, 0, sizeof(*conn));
    conn->start = now_us();
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (conn->fd < 0)
        die("socket");
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(conn->fd, (struct sockaddr *)&server, sizeof(server)) < 0 && errno != EINPROGRESS)
        die("connect");
    conn->ssl = SSL_new(ctx);
    SSL_set_fd(conn->ssl, conn->fd);
    SSL_set_connect_state(conn->ssl);
    conn->sending = &bodies[body_next++ % body_count];
    conn_interest(conn, EPOLLOUT);
}

static void conn_close(struct conn *conn)
{
    if (conn->open)
        SSL_shutdown(conn->ssl);
    SSL_free(conn->ssl);
    close(conn->fd);
}

static void conn_fail(struct conn *conn)
{
    failures++;
    ERR_clear_error();
    conn_close(conn);
    conn_open(conn);
}

/* 1 went on, 0 waits, -1 broken. */
static int conn_wait(struct conn *conn, int r)
{
    int why = SSL_get_error(conn->ssl, r);

    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        return -1;
    conn_interest(conn, why == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
    return 0;
}

static int conn_handshake(struct conn *conn)
{
    int r = SSL_do_handshake(conn->ssl);

    if (r != 1)
        return conn_wait(conn, r);
    conn->open = true;
    if (!anew)
        conn->start = now_us();
    return 1;
}

static int conn_write(struct conn *conn)
{
    int r = SSL_write(conn->ssl, conn->sending->data + conn->sent, (int)(conn->sending->len - conn->sent));

    if (r <= 0)
        return conn_wait(conn, r);
    conn->sent += (size_t)r;
    return 1;
}

static void head_read(struct conn *conn, const char *head, size_t len)
{
    const char *end = memmem(head, len, "\r\n\r\n", 4), *field;

    if (!end)
        return;
    field = strcasestr(head, "\r\ntransfer-encoding: chunked");
    conn->chunked = field && field < end;
    field = strcasestr(head, "\r\ncontent-length:");
    conn->want = (size_t)(end + 4 - head) + (field && field < end ? strtoul(field + 17, NULL, 10) : 0);
    if (strncmp(head, "HTTP/1.1 200", 12) != 0)
        bad_status++;
}

/* The last chunk is written together with its end; JSON and base64 do not look like it. */
static bool ends_chunks(const char *part, size_t len)
{
    static const char last[] = "0\r\n\r\n";

    return len >= sizeof(last) - 1 && memcmp(part + len - (sizeof(last) - 1), last, sizeof(last) - 1) == 0;
}

static int conn_read(struct conn *conn)
{
    static char room[ANSWER_ROOM];
    char *head = answer[conn - conns];
    size_t part, space = conn->got < sizeof(answer[0]) - 1 ? sizeof(answer[0]) - 1 - conn->got : 0;
    int r = SSL_read(conn->ssl, room, sizeof(room));

    if (r <= 0)
        return conn_wait(conn, r);
    part = (size_t)r < space ? (size_t)r : space;
    memcpy(head + conn->got, room, part);
    if (space)
        head[conn->got + part] = '\0';
    conn->got += (size_t)r;
    if (!conn->want)
        head_read(conn, head, conn->got < sizeof(answer[0]) - 1 ? conn->got : sizeof(answer[0]) - 1);
    if (conn->chunked)
        conn->want = ends_chunks(room, (size_t)r) ? conn->got : SIZE_MAX;
    return 1;
}

static void conn_done(struct conn *conn)
{
    if (sample_count < MAX_SAMPLES)
        samples[sample_count++] = (uint32_t)(now_us() - conn->start);
    if (idle) {
        conn->rests = true;
        resting++;
        conn_interest(conn, EPOLLIN);
    } else if (anew) {
        conn_close(conn);
        conn_open(conn);
    } else {
        conn_begin(conn);
    }
}

static void conn_go(struct conn *conn)
{
    int r;

    if (conn->rests) {
        failures++; /* nothing was asked: the server ended it */
        conn->rests = false;
        conn_interest(conn, 0);
        return;
    }
    do {
        if (!conn->open)
            r = conn_handshake(conn);
        else if (conn->sent < conn->sending->len)
            r = conn_write(conn);
        else
            r = conn_read(conn);
        if (r < 0) {
            conn_fail(conn);
            return;
        }
        if (r > 0 && conn->want && conn->got >= conn->want) {
            conn_done(conn);
            if (idle || anew)
                return;
        }
    } while (r > 0);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static double at(double part)
{
    return sample_count ? samples[(size_t)((double)(sample_count - 1) * part)] / 1e6 : 0;
}

int main(int argc, char **argv)
{
    size_t count;
    int64_t begin, end;
    bool told = false;

    if (argc != 6) {
        fprintf(stderr, "usage: injector_load PORT BODIES CONNECTIONS SECONDS keep|new|idle\n");
        return 2;
    }
    server.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bodies_read(argv[2]);
    count = strtoul(argv[3], NULL, 10);
    anew = !strcmp(argv[5], "new");
    idle = !strcmp(argv[5], "idle");
    if (!body_count || !count || count > MAX_CONNECTIONS)
        return 2;
    samples = malloc(MAX_SAMPLES * sizeof(*samples));
    ctx = SSL_CTX_new(TLS_client_method());
    epoll = epoll_create1(0);
    begin = now_us();
    end = begin + (int64_t)(strtod(argv[4], NULL) * 1e6);
    for (size_t i = 0; i < count; i++)
        conn_open(&conns[i]);
    while (now_us() < end) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, 50);

        for (int i = 0; i < n; i++)
            conn_go(&conns[events[i].data.u32]);
        if (idle && resting == count && !told) {
            told = true;
            puts("ready");
            fflush(stdout);
        }
    }
    qsort(samples, sample_count, sizeof(*samples), by_size);
    printf(
        "{\"requests\": %zu, \"seconds\": %.3f, \"failures\": %zu, \"not_200\": %zu, \"p50\": %.6f, \"p99\": %.6f, \"most\": %.6f}\n",
        sample_count, (double)(now_us() - begin) / 1e6, failures, bad_status, at(0.5), at(0.99), at(1));
    return 0;
}
