#include "net/http_handle.h"

#include <stdint.h>
#include <string.h>

#include <openssl/x509.h>

#include "base/limits.h"
#include "base/mem.h"
#include "net/http_lines.h"
#include "tls/hostname.h"

enum {
    KEEPALIVE_S = 15, /* a silent peer is noticed in half a minute */
    IDLE_S = 30,      /* load balancers drop idle connections after 60 s, often without a word */
};

#define NOWHERE "/dev/null" /* no folder, and never one */

/* An option that libcurl does not take is a mistake of the build; one check at the end of the row. */
#define SET(option, value) (bad |= curl_easy_setopt(easy, CURLOPT_##option, value) != CURLE_OK)

static bool set_limits(const struct http_handle *handle, CURL *easy)
{
    const struct http_way *way = handle->way;
    bool bad = false;

    SET(NOSIGNAL, 1L);
    SET(NOPROGRESS, 1L);
    SET(PROTOCOLS_STR, "http,https");
    SET(FOLLOWLOCATION, 0L);
    SET(PATH_AS_IS, 1L);
    SET(HTTP_VERSION, (long)(way->origin.https && !way->http1_only ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    SET(PIPEWAIT, 1L);
    SET(CONNECTTIMEOUT_MS, (long)way->connect_ms);
    if (!handle->stream->on)
        SET(MAXFILESIZE_LARGE, (curl_off_t)handle->answer->res.body.max);
    SET(MAXAGE_CONN, (long)IDLE_S);
    SET(TCP_KEEPALIVE, 1L);
    SET(TCP_KEEPIDLE, (long)KEEPALIVE_S);
    SET(TCP_KEEPINTVL, (long)KEEPALIVE_S);
    return !bad;
}

static bool set_request(const struct http_handle *handle, CURL *easy)
{
    static const char *const bodies[] = {"POST", "PUT", "PATCH"}; /* with these even no body has a length: 0 */
    const struct http_stream *stream = handle->stream;
    bool bad = false, body = handle->request->has_body;

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        body = body || strcmp(handle->request->method, bodies[i]) == 0;
    SET(URL, handle->request->url);
    if (stream->pieces.writes) {
        SET(UPLOAD, 1L);
        SET(INFILESIZE_LARGE, stream->pieces.length == HTTP_ANY_LENGTH ? -1 : (curl_off_t)stream->pieces.length);
    } else if (body) {
        SET(POSTFIELDS, handle->request->body.data);
        SET(POSTFIELDSIZE_LARGE, (curl_off_t)handle->request->body.len);
    }
    if (strcmp(handle->request->method, "HEAD") == 0)
        SET(NOBODY, 1L);
    else
        SET(CUSTOMREQUEST, handle->request->method);
    SET(HTTPHEADER, handle->request->headers);
    if (handle->way->user_agent)
        SET(USERAGENT, handle->way->user_agent);
    return !bad;
}

/* Libcurl's own store of authorities is replaced by ours, and its check of names by tls/verify's. */
static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *ctx)
{
    struct http_handle *handle = ctx;
    struct http_way *way = handle->way;
    X509_STORE *store = verify_store(&way->verify);

    (void)easy;
    if (!store)
        return CURLE_OUT_OF_MEMORY;
    if (!handle->trusts) /* a connection that was counted on is no more */
        http_way_trust_again(way);
    if (trust_fill(&way->trust, store, &handle->err) != 0) {
        X509_STORE_free(store);
        return CURLE_SSL_CACERT_BADFILE;
    }
    http_way_tell(way, way->trust.ca.note);
    verify_watch(ssl_ctx, store, &way->verify);
    return CURLE_OK;
}

static struct curl_blob blob_of(const struct buf *buf)
{
    return (struct curl_blob){.data = buf->data, .len = buf->len, .flags = CURL_BLOB_COPY};
}

/*
 * Handshakes with an address carry no name that tls/verify could hold them to when there are two addresses, the server's and a
 * proxy's; libcurl compares addresses exactly, and does it besides.
 */
static long name_check(const char *wanted)
{
    unsigned char address[HOSTNAME_ADDRESS];

    return wanted && hostname_address(str_of(wanted), address) ? 2L : 0L;
}

static bool set_tls(struct http_handle *handle, CURL *easy)
{
    const struct http_way *way = handle->way;
    struct curl_blob cert = blob_of(&way->trust.cert), key = blob_of(&way->trust.key);
    bool bad = false;

    SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(SSL_VERIFYPEER, way->skip_verify ? 0L : 1L);
    SET(SSL_VERIFYHOST, way->skip_verify ? 0L : name_check(way->verify.wanted[0]));
    SET(PROXY_SSL_VERIFYPEER, way->skip_verify ? 0L : 1L);
    SET(PROXY_SSL_VERIFYHOST, way->skip_verify ? 0L : name_check(way->verify.wanted[1]));
    SET(CA_CACHE_TIMEOUT, 0L);
    SET(CAPATH, NOWHERE); /* else it would add the machine's own authorities */
    SET(PROXY_CAPATH, NOWHERE);
    if (!way->skip_verify) {
        SET(SSL_CTX_FUNCTION, on_ssl_ctx);
        SET(SSL_CTX_DATA, handle);
    }
    if (cert.len) {
        SET(SSLCERT_BLOB, &cert);
        SET(SSLKEY_BLOB, &key);
    }
    return !bad;
}

/* libcurl finds every name it needs in its cache, so that it never asks by itself. */
static bool resolve_fill(struct http_handle *handle)
{
    const struct http_way *way = handle->way;
    _cleanup_buf_ struct buf entry = {0};

    if (way->addresses.count == 0)
        return true;
    buf_init(&entry, LIMIT_URL_BYTES);
    buf_addf(&entry, "%s:%u:", http_way_host(way), http_way_port(way));
    for (size_t i = 0; i < way->addresses.count; i++)
        buf_addf(&entry, strchr(way->addresses.text[i], ':') ? "%s[%s]" : "%s%s", i ? "," : "", way->addresses.text[i]);
    return !buf_overflowed(&entry) && lines_add(&handle->resolve, entry.data) == 0;
}

static bool connect_to_fill(struct http_handle *handle)
{
    const struct http_way *way = handle->way;
    const char *host = way->service.port ? way->service.host : way->origin.host;
    unsigned port = way->service.port ? way->service.port : way->origin.port;
    _cleanup_buf_ struct buf entry = {0};

    if (!way->server_name && !way->service.port)
        return true;
    buf_init(&entry, LIMIT_URL_BYTES);
    buf_addf(&entry, strchr(host, ':') ? "::[%s]:%u" : "::%s:%u", host, port);
    return !buf_overflowed(&entry) && lines_add(&handle->connect_to, entry.data) == 0;
}

static bool set_target(struct http_handle *handle, CURL *easy)
{
    const struct http_way *way = handle->way;
    bool bad = !resolve_fill(handle) || !connect_to_fill(handle);

    SET(RESOLVE, handle->resolve);
    SET(CONNECT_TO, handle->connect_to);
    SET(PROXY, way->proxied ? way->proxy_url : ""); /* the environment was asked in http_client_new() */
    SET(NOPROXY, "");
    SET(SUPPRESS_CONNECT_HEADERS, 1L);
    if (way->origin.socket[0])
        SET(UNIX_SOCKET_PATH, way->origin.socket);
    return !bad;
}

/*
 * Each time that a request is about to go out. libcurl sends one that a connection lost or refused unread up to five times more
 * by itself, past all that is counted above; here it may do so once, where a kept connection may have died unseen.
 */
static int on_send(void *ctx, char *to, char *from, int to_port, int from_port)
{
    struct http_handle *handle = ctx;
    long fresh = 1;

    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    if (handle->sends++ == 0) {
        curl_easy_getinfo(handle->easy, CURLINFO_NUM_CONNECTS, &fresh);
        handle->most_sends = fresh ? 1 : 2;
    }
    if (handle->sends <= handle->most_sends)
        return CURL_PREREQFUNC_OK;
    err_set(&handle->err, ERR_RETRY, "the server refused the request, or closed the connection, before it read it");
    return CURL_PREREQFUNC_ABORT;
}

static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
    struct http_handle *handle = ctx;

    if (http_answer_header(handle->answer, line, size * n, &handle->err) != 0)
        return 0;
    if (handle->stream->on)
        http_stream_header(handle->stream, line, size * n);
    return size * n;
}

int http_handle_keep_whole(struct http_handle *handle)
{
    struct buf *in = &handle->stream->in;

    if (!http_stream_has_whole(handle->stream))
        return 0;
    if (http_answer_body(handle->answer, in->data, in->len, &handle->err) != 0)
        return -1;
    buf_reset(in);
    return 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct http_handle *handle = ctx;

    if (handle->stream->on && handle->stream->answer != STREAM_WHOLE)
        return http_stream_body(handle->stream, data, size * n) ? size * n : CURL_WRITEFUNC_PAUSE;
    if (http_handle_keep_whole(handle) < 0 || http_answer_body(handle->answer, data, size * n, &handle->err) != 0)
        return 0;
    return size * n;
}

static size_t on_read(char *ret, size_t size, size_t n, void *ctx)
{
    struct http_handle *handle = ctx;
    ssize_t len = http_stream_read(handle->stream, ret, size * n);

    if (len >= 0)
        return (size_t)len;
    if (len == STREAM_STARVES)
        return CURL_READFUNC_PAUSE;
    err_set(&handle->err, ERR_INPUT, "the request's body ended before the length that was announced");
    return CURL_READFUNC_ABORT;
}

CURLcode http_handle_go_on(struct http_handle *handle)
{
    struct http_stream *stream = handle->stream;

    if (!handle->easy || !http_stream_goes_on(stream))
        return CURLE_OK;
    return curl_easy_pause(handle->easy, (stream->held ? CURLPAUSE_RECV : 0) | (stream->starving ? CURLPAUSE_SEND : 0));
}

static bool set_callbacks(struct http_handle *handle, CURL *easy)
{
    bool bad = false;

    SET(PRIVATE, handle->owner);
    SET(ERRORBUFFER, handle->text);
    SET(WRITEFUNCTION, on_body);
    SET(WRITEDATA, handle);
    SET(HEADERFUNCTION, on_header);
    SET(HEADERDATA, handle);
    SET(READFUNCTION, on_read);
    SET(READDATA, handle);
    SET(PREREQFUNCTION, on_send);
    SET(PREREQDATA, handle);
    return !bad;
}

int http_handle_open(struct http_handle *handle, void *owner, struct err *err)
{
    CURL *easy = curl_easy_init();

    handle->easy = easy;
    handle->owner = owner;
    if (!easy || !set_limits(handle, easy) || !set_request(handle, easy) || !set_tls(handle, easy) || !set_target(handle, easy) ||
        !set_callbacks(handle, easy))
        return err_set(err, ERR_SYSTEM, "%s: libcurl refuses an option", handle->way->origin.name);
    return 0;
}

void http_handle_close(struct http_handle *handle)
{
    curl_easy_cleanup(handle->easy);
    handle->easy = NULL;
    lines_done(&handle->resolve);
    lines_done(&handle->connect_to);
}

unsigned long http_handle_connections(const struct http_handle *handle)
{
    long connections = 0;

    if (handle->easy)
        curl_easy_getinfo(handle->easy, CURLINFO_NUM_CONNECTS, &connections);
    return (unsigned long)connections;
}

bool http_handle_has_begun(const struct http_handle *handle)
{
    curl_off_t us = 0;

    return handle->easy && curl_easy_getinfo(handle->easy, CURLINFO_PRETRANSFER_TIME_T, &us) == CURLE_OK && us > 0;
}

void http_handle_result(const struct http_handle *handle, struct http_res *res)
{
    long status = 0, version = 0;

    curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(handle->easy, CURLINFO_HTTP_VERSION, &version);
    res->status = (int)status;
    res->http_version = version == CURL_HTTP_VERSION_2_0 ? 20 : version == CURL_HTTP_VERSION_1_0 ? 10 : 11;
}
