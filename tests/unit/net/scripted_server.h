/*
 * scripted_server: a small HTTP server that misbehaves on request, and certificates to go with it.
 *
 * The server is a child process; each connection is a child of it, so that a hanging one hangs alone. What it does stands in the
 * request's path (see acts[]). Certificates are made here, valid or wrong, when a test wants them.
 */
#ifndef SCRIPTED_SERVER_H
#define SCRIPTED_SERVER_H

/* Not every program needs every helper. */
#pragma GCC diagnostic ignored "-Wunused-function"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nghttp2/nghttp2.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* ----------------------------------------------------------------------------------------------------- certificates */

struct cert {
    X509 *x509;
    EVP_PKEY *key;
};

struct cert_wish {
    const char *name;     /* common name */
    const char *names;    /* "DNS:localhost,IP:127.0.0.1", NULL for a CA */
    const char *limits;   /* a CA's name constraints, "permitted;DNS:a.example" */
    long from_s, until_s; /* from now */
    const struct cert *issuer;
};

static void cert_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
}

static struct cert cert_make(struct cert_wish wish)
{
    struct cert cert = {X509_new(), EVP_EC_gen("P-256")};
    X509 *issuer = wish.issuer ? wish.issuer->x509 : cert.x509;
    X509_NAME *name = X509_get_subject_name(cert.x509);
    static long serial;

    X509_set_version(cert.x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), ++serial);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)wish.name, -1, -1, 0);
    X509_gmtime_adj(X509_getm_notBefore(cert.x509), wish.from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert.x509), wish.until_s);
    X509_set_pubkey(cert.x509, cert.key);
    X509_set_issuer_name(cert.x509, X509_get_subject_name(issuer));
    if (wish.names)
        cert_extension(cert.x509, issuer, NID_subject_alt_name, wish.names);
    else
        cert_extension(cert.x509, issuer, NID_basic_constraints, "critical,CA:TRUE");
    if (wish.limits)
        cert_extension(cert.x509, issuer, NID_name_constraints, wish.limits);
    X509_sign(cert.x509, wish.issuer ? wish.issuer->key : cert.key, EVP_sha256());
    return cert;
}

static void cert_write(const struct cert *cert, const char *path)
{
    FILE *file = fopen(path, "w");

    PEM_write_X509(file, cert->x509);
    fclose(file);
}

static void cert_write_key(const struct cert *cert, const char *path)
{
    FILE *file = fopen(path, "w");

    PEM_write_PrivateKey(file, cert->key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
}

static void cert_free(struct cert *cert)
{
    X509_free(cert->x509);
    EVP_PKEY_free(cert->key);
}

/* ------------------------------------------------------------------------------------------------------ connections */

struct peer {
    int fd;
    SSL *ssl;
    char in[65536];
    size_t in_len, at; /* `at`: of a body that is read byte by byte */
};

static ssize_t peer_read(struct peer *peer, void *data, size_t len)
{
    return peer->ssl ? SSL_read(peer->ssl, data, (int)len) : read(peer->fd, data, len);
}

static void peer_write(struct peer *peer, const char *data, size_t len)
{
    for (ssize_t done; len > 0; data += done, len -= (size_t)done) {
        done = peer->ssl ? SSL_write(peer->ssl, data, (int)len) : write(peer->fd, data, len);
        if (done <= 0)
            _exit(0);
    }
}

static void peer_say(struct peer *peer, const char *text)
{
    peer_write(peer, text, strlen(text));
}

static void answer(struct peer *peer, const char *status, const char *headers, const char *body)
{
    char head[1024];

    snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, headers, strlen(body));
    peer_say(peer, head);
    peer_say(peer, body);
}

/* ------------------------------------------------------------------------------------------------------------- acts */

static void act_hello(struct peer *peer)
{
    answer(peer, "200 OK", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "hello");
}

static void act_leave(struct peer *peer)
{
    act_hello(peer);
    _exit(0);
}

static void act_process(struct peer *peer)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", (int)getpid());
    answer(peer, "200 OK", "", text);
}

/* The request as it came, body included. */
static void act_echo(struct peer *peer)
{
    answer(peer, "200 OK", "", peer->in);
}

static void act_hang(struct peer *peer)
{
    (void)peer;
    for (;;)
        pause();
}

static void act_trickle(struct peer *peer)
{
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    for (;;) {
        peer_say(peer, "x");
        poll(NULL, 0, 5);
    }
}

static void act_big(struct peer *peer)
{
    static const char block[65536];

    peer_say(peer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    for (size_t sent = 0; sent < 50U << 20; sent += sizeof(block))
        peer_write(peer, block, sizeof(block));
    _exit(0);
}

/* What the processes of a server tell the test, and it them; see server_start(). */
static struct shared {
    unsigned refused; /* HTTP/2 requests */
    size_t sent;      /* by "/flood" */
    bool open;        /* "/sink-gated" may read */
} * shared;

enum { FLOOD_BYTES = 50 << 20 };

/* Counts what the client, and the kernel between, took. */
static void act_flood(struct peer *peer)
{
    char block[65536];

    memset(block, 'f', sizeof(block));
    peer_say(peer, "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 203 Flood\r\nX-First: 1\r\nX-Second:  two \r\n"
                   "Content-Encoding: gzip\r\nConnection: close\r\n\r\n");
    for (size_t sent = 0; sent < FLOOD_BYTES; sent += sizeof(block)) {
        peer_write(peer, block, sizeof(block));
        __atomic_fetch_add(&shared->sent, sizeof(block), __ATOMIC_SEQ_CST);
    }
    _exit(0);
}

static char body_byte(struct peer *peer)
{
    if (peer->in_len == 0) {
        ssize_t got = peer_read(peer, peer->in, sizeof(peer->in));

        if (got <= 0)
            _exit(0);
        peer->in_len = (size_t)got;
        peer->at = 0;
    }
    peer->in_len--;
    return peer->in[peer->at++];
}

static size_t body_chunk(struct peer *peer)
{
    char line[32];
    size_t len = 0;

    do {
        line[len++] = body_byte(peer);
    } while (line[len - 1] != '\n' && len < sizeof(line) - 1);
    line[len] = '\0';
    return strtoul(line, NULL, 16);
}

static size_t body_sum(struct peer *peer, size_t len, size_t *sum)
{
    for (size_t i = 0; i < len; i++)
        *sum = *sum * 31 + (unsigned char)body_byte(peer);
    return len;
}

/* Takes a body of any size, tells how long it was, its sum and how it was framed. */
static void act_sink(struct peer *peer)
{
    const char *length = strcasestr(peer->in, "\r\ncontent-length:");
    size_t left = length ? strtoul(length + 17, NULL, 10) : 0, total = 0, sum = 0, chunk;
    bool chunked = strcasestr(peer->in, "\r\ntransfer-encoding: chunked");
    char text[96];

    peer->at = (size_t)(strstr(peer->in, "\r\n\r\n") + 4 - peer->in);
    peer->in_len -= peer->at;
    if (!chunked)
        total = body_sum(peer, left, &sum);
    while (chunked && (chunk = body_chunk(peer)) > 0) {
        total += body_sum(peer, chunk, &sum);
        body_chunk(peer);
    }
    if (chunked)
        body_chunk(peer);
    snprintf(text, sizeof(text), "%zu %zu %s", total, sum, chunked ? "chunked" : "length");
    answer(peer, "200 OK", "", text);
}

static void act_sink_gated(struct peer *peer)
{
    while (!__atomic_load_n(&shared->open, __ATOMIC_SEQ_CST))
        poll(NULL, 0, 5);
    act_sink(peer);
}

static void act_big_announced(struct peer *peer)
{
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n");
    act_hang(peer);
}

static void act_many_headers(struct peer *peer)
{
    peer_say(peer, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 2000; i++)
        peer_say(peer, "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
    peer_say(peer, "Content-Length: 0\r\n\r\n");
}

static void act_endless_header(struct peer *peer)
{
    peer_say(peer, "HTTP/1.1 200 OK\r\nX-Filler: ");
    for (;;)
        peer_say(peer, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

static void act_garbage(struct peer *peer)
{
    peer_say(peer, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    _exit(0);
}

static void act_gzip(struct peer *peer)
{
    answer(peer, "200 OK", "Content-Encoding: gzip\r\n", "\x1f\x8b secret");
}

static void act_gzip_transfer(struct peer *peer)
{
    peer_say(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
}

static void act_bad_chunk(struct peer *peer)
{
    peer_say(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nabc");
    _exit(0);
}

static void act_redirect(struct peer *peer)
{
    answer(peer, "307 Temporary Redirect", "Location: https://other.example/v1/x\r\nRetry-After: 1\r\n", "");
}

static void act_busy(struct peer *peer)
{
    answer(peer, "429 Too Many Requests", "Retry-After: 17\r\n", "");
}

static void act_busy_until(struct peer *peer)
{
    answer(peer, "503 Service Unavailable", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "");
}

static void act_cut(struct peer *peer)
{
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    _exit(0);
}

static void act_nothing(struct peer *peer)
{
    (void)peer;
    _exit(0);
}

static const struct {
    const char *path;
    void (*act)(struct peer *peer);
} acts[] = {
    {"/hello", act_hello},
    {"/leave", act_leave},
    {"/process", act_process},
    {"/echo", act_echo},
    {"/hang", act_hang},
    {"/trickle", act_trickle},
    {"/big", act_big},
    {"/flood", act_flood},
    {"/sink", act_sink},
    {"/sink-gated", act_sink_gated},
    {"/big-announced", act_big_announced},
    {"/many-headers", act_many_headers},
    {"/endless-header", act_endless_header},
    {"/garbage", act_garbage},
    {"/gzip", act_gzip},
    {"/gzip-transfer", act_gzip_transfer},
    {"/bad-chunk", act_bad_chunk},
    {"/redirect", act_redirect},
    {"/busy", act_busy},
    {"/busy-until", act_busy_until},
    {"/cut", act_cut},
    {"/nothing", act_nothing},
};

static size_t body_length(const char *head)
{
    const char *field = strcasestr(head, "\r\ncontent-length:");

    return field ? strtoul(field + 17, NULL, 10) : 0;
}

static bool is_sink(const char *head)
{
    const char *path = strchr(head, ' ');

    return path && strncmp(path, " /sink", 6) == 0;
}

static bool request_read(struct peer *peer)
{
    const char *end;
    ssize_t got;

    peer->in_len = 0;
    for (;;) {
        peer->in[peer->in_len] = '\0';
        end = strstr(peer->in, "\r\n\r\n");
        if (end && is_sink(peer->in))
            return true;
        if (end && peer->in_len >= (size_t)(end + 4 - peer->in) + body_length(peer->in))
            return true;
        got = peer_read(peer, peer->in + peer->in_len, sizeof(peer->in) - 1 - peer->in_len);
        if (got <= 0)
            return false;
        peer->in_len += (size_t)got;
        if (peer->in[0] == 0x16) { /* TLS to a plain port: answer as Go does */
            peer_say(peer, "HTTP/1.0 400 Bad Request\r\n\r\n");
            return false;
        }
    }
}

static void copy_all(int from, int to)
{
    char block[4096];

    for (ssize_t got; (got = read(from, block, sizeof(block))) > 0;)
        if (write(to, block, (size_t)got) != got)
            break;
    shutdown(to, SHUT_WR);
}

/* CONNECT to the loopback address is let through, to a name it needs a password. */
static void tunnel(struct peer *peer)
{
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    target.sin_port = htons((uint16_t)strtoul(strchr(peer->in, ':') + 1, NULL, 10));
    if (strncmp(peer->in, "CONNECT 127.0.0.1:", 18) != 0) {
        peer_say(peer, "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n");
        return;
    }
    if (connect(fd, (struct sockaddr *)&target, sizeof(target)) < 0) {
        peer_say(peer, "HTTP/1.1 503 Nobody there\r\nContent-Length: 0\r\n\r\n");
        return;
    }
    peer_say(peer, "HTTP/1.1 200 Go on\r\nX-Proxy: 1\r\n\r\n");
    if (fork() == 0) {
        copy_all(fd, peer->fd);
        _exit(0);
    }
    copy_all(peer->fd, fd);
    _exit(0);
}

/* "GET /path?query HTTP/1.1", or through a proxy "GET http://host/path HTTP/1.1". */
static void request_serve(struct peer *peer)
{
    const char *path = strchr(peer->in, ' ') + 1;

    if (strncmp(peer->in, "CONNECT ", 8) == 0) {
        tunnel(peer);
        return;
    }
    if (*path != '/')
        path = strchr(strstr(path, "://") + 3, '/');
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        if (strcspn(path, " ?") == strlen(acts[i].path) && strncmp(path, acts[i].path, strlen(acts[i].path)) == 0) {
            acts[i].act(peer);
            return;
        }
    answer(peer, "404 Not Found", "", "");
}

/* ----------------------------------------------------------------------------------------------------------- HTTP/2 */

static ssize_t h2_send(nghttp2_session *session, const uint8_t *data, size_t len, int flags, void *ctx)
{
    (void)session;
    (void)flags;
    peer_write(ctx, (const char *)data, len);
    return (ssize_t)len;
}

enum { H2_BIG_BYTES = 40 << 20 };

static ssize_t h2_body(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t len, uint32_t *flags,
                       nghttp2_data_source *source, void *ctx)
{
    static size_t left = H2_BIG_BYTES;
    const char *word = nghttp2_session_get_stream_user_data(session, stream);

    (void)source;
    (void)ctx;
    if (word && *word == 'b') {
        len = len < left ? len : left;
        memset(buf, 'b', len);
        left -= len;
        if (left == 0)
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        return (ssize_t)len;
    }
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return snprintf((char *)buf, len, "%d", (int)getpid());
}

/* A request whose path is "/hang" is never answered, one whose path is "/refuse" is refused unread. */
static int h2_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *ctx)
{
    static char hang[] = "hang", refuse[] = "refuse", big[] = "big";

    (void)flags;
    (void)ctx;
    if (name_len == 5 && memcmp(name, ":path", 5) == 0 && value_len == 5 && memcmp(value, "/hang", 5) == 0)
        nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, hang);
    if (name_len == 5 && memcmp(name, ":path", 5) == 0 && value_len == 4 && memcmp(value, "/big", 4) == 0)
        nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, big);
    if (name_len == 5 && memcmp(name, ":path", 5) == 0 && value_len == 7 && memcmp(value, "/refuse", 7) == 0)
        nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, refuse);
    return 0;
}

static int h2_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    const nghttp2_nv headers[] = {{(uint8_t *)":status", (uint8_t *)"200", 7, 3, 0}};
    const nghttp2_data_provider body = {.read_callback = h2_body};
    const char *word = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    (void)ctx;
    if (frame->hd.type != NGHTTP2_HEADERS || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    if (word && *word == 'r') {
        __atomic_fetch_add(&shared->refused, 1, __ATOMIC_SEQ_CST);
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
    }
    if (word && *word == 'h')
        return 0;
    return nghttp2_submit_response(session, frame->hd.stream_id, headers, 1, &body);
}

static void h2_serve(struct peer *peer)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    ssize_t got;

    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_send_callback(callbacks, h2_send);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, h2_frame);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, h2_header);
    nghttp2_session_server_new(&session, callbacks, peer);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0);
    do {
        if (nghttp2_session_send(session) != 0)
            _exit(0);
        got = peer_read(peer, peer->in, sizeof(peer->in));
    } while (got > 0 && nghttp2_session_mem_recv(session, (const uint8_t *)peer->in, (size_t)got) >= 0);
}

/* ------------------------------------------------------------------------------------------------------ the process */

struct server {
    pid_t pid;
    unsigned port;
    char url[64];
};

struct server_wish {
    const struct cert *cert;       /* TLS */
    const struct cert *ask_client; /* want a client certificate of this CA */
    const char *unix_path;
    bool http2;
};

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned in_len,
                     void *ctx)
{
    static const unsigned char h2[] = "\x02h2";

    (void)ssl;
    (void)ctx;
    return SSL_select_next_proto((unsigned char **)out, out_len, h2, 3, in, in_len) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

/* A reset for what was not read would overtake the alert. */
static void hang_up(int fd)
{
    char rest[4096];

    shutdown(fd, SHUT_WR);
    while (read(fd, rest, sizeof(rest)) > 0)
        ;
    _exit(0);
}

static SSL *handshake(int fd, const struct server_wish *wish)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL *ssl;

    SSL_CTX_use_certificate(ctx, wish->cert->x509);
    SSL_CTX_use_PrivateKey(ctx, wish->cert->key);
    if (wish->http2)
        SSL_CTX_set_alpn_select_cb(ctx, choose_h2, NULL);
    if (wish->ask_client) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), wish->ask_client->x509);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) != 1)
        hang_up(fd);
    return ssl;
}

static void connection_serve(int fd, const struct server_wish *wish)
{
    static struct peer peer;
    const unsigned char *alpn = NULL;
    unsigned alpn_len = 0;

    peer.fd = fd;
    if (wish->cert) {
        peer.ssl = handshake(fd, wish);
        SSL_get0_alpn_selected(peer.ssl, &alpn, &alpn_len);
    }
    if (alpn_len == 2)
        h2_serve(&peer);
    else
        while (request_read(&peer))
            request_serve(&peer);
    if (peer.ssl)
        SSL_shutdown(peer.ssl);
    _exit(0);
}

static int listen_somewhere(const char *unix_path, unsigned *ret_port)
{
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    socklen_t len = sizeof(inet);
    int fd = socket(unix_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (unix_path) {
        snprintf(local.sun_path, sizeof(local.sun_path), "%s", unix_path);
        unlink(unix_path);
        if (bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0)
            abort();
    } else if (bind(fd, (struct sockaddr *)&inet, len) < 0 || getsockname(fd, (struct sockaddr *)&inet, &len) < 0) {
        abort();
    }
    if (listen(fd, 64) < 0)
        abort();
    *ret_port = ntohs(inet.sin_port);
    return fd;
}

/* The whole group dies with server_stop(), or with the test. */
static void server_main(int listener, const struct server_wish *wish)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(listener);
            connection_serve(fd, wish);
        }
        close(fd);
    }
}

static struct server server_start(struct server_wish wish)
{
    struct server server;
    int listener = listen_somewhere(wish.unix_path, &server.port);

    if (wish.unix_path)
        snprintf(server.url, sizeof(server.url), "unix://%s", wish.unix_path);
    else
        snprintf(server.url, sizeof(server.url), "%s://127.0.0.1:%u", wish.cert ? "https" : "http", server.port);
    if (!shared)
        shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *shared = (struct shared){.refused = 0};
    server.pid = fork();
    if (server.pid == 0)
        server_main(listener, &wish);
    setpgid(server.pid, server.pid);
    close(listener);
    return server;
}

static void server_stop(struct server *server)
{
    kill(-server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
}

#endif
