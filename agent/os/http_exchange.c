#include "os/http_client.h"

#include <stdint.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include <openssl/x509.h>

#include "base/clock.h"
#include "base/cur.h"
#include "base/limits.h"
#include "base/mem.h"
#include "os/hostname.h"

enum {
    KEEPALIVE_S = 15, /* a silent peer is noticed in half a minute */
    IDLE_S = 30,      /* load balancers drop idle connections after 60 s, often without a word */
};

#define NOWHERE "/dev/null" /* no folder, and never one */

/* ---------------------------------------------------------------------------------- the request, checked and copied */

static bool is_token(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text >= 0x7F || strchr("()<>@,;:\\\"/[]?={}", *text))
            return false;
    return true;
}

static bool is_clean(const char *text, bool blanks)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7F || (!blanks && (*text == ' ' || *text == '#')))
            return false;
    return true;
}

static int line_add(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        return -1;
    *list = longer;
    return 0;
}

/* In libcurl's spelling: "Name;" is a header with an empty value, "Name:" keeps libcurl from adding one of its own. */
static int header_add(struct curl_slist **list, const struct http_header *header)
{
    _cleanup_buf_ struct buf line;

    buf_init_secret(&line, LIMIT_REPLY_HEADER_BYTES);
    buf_adds(&line, header->name);
    if (!header->value)
        buf_adds(&line, ":");
    else if (!*header->value)
        buf_adds(&line, ";");
    else
        buf_addf(&line, ": %s", header->value);
    return buf_overflowed(&line) ? -1 : line_add(list, line.data);
}

static bool header_given(const struct http_req *req, const char *name)
{
    for (size_t i = 0; i < req->header_count; i++)
        if (strcasecmp(req->headers[i].name, name) == 0)
            return true;
    return false;
}

static int headers_copy(struct http_exchange *exchange, const struct http_req *req, struct err *err)
{
    const struct http_client *client = exchange->client;
    const struct http_header defaults[] = {
        {"Accept-Encoding", "identity"},
        {"Expect", NULL},
        {"Content-Type", NULL},
        {"Host", client->origin.authority},
    };
    size_t count = ARRAY_LEN(defaults) - (client->server_name ? 0 : 1); /* the URL's host is not the real one then */

    for (size_t i = 0; i < req->header_count; i++) {
        if (!is_token(req->headers[i].name) || !is_clean(req->headers[i].value, true))
            return err_set(err, ERR_INPUT, "header \"%.64s\": name or value has bytes that no header may have", req->headers[i].name);
        if (header_add(&exchange->headers, &req->headers[i]) < 0)
            return err_set(err, ERR_LIMIT, "header \"%.64s\" has more than %zu bytes", req->headers[i].name, LIMIT_REPLY_HEADER_BYTES);
    }
    for (size_t i = 0; i < count; i++)
        if (!header_given(req, defaults[i].name) && header_add(&exchange->headers, &defaults[i]) < 0)
            return err_set(err, ERR_SYSTEM, "libcurl: headers");
    return 0;
}

/* The URL carries the name that TLS asks for; connect_to leads to the real host. */
static int url_copy(struct http_exchange *exchange, const char *path, struct err *err)
{
    const struct origin *origin = &exchange->client->origin;
    const char *name = exchange->client->server_name;
    const char *open = name && strchr(name, ':') ? "[" : "", *close = *open ? "]" : "";
    _cleanup_buf_ struct buf url;

    buf_init(&url, LIMIT_URL_BYTES);
    if (name)
        buf_addf(&url, "%s://%s%s%s:%u%s%s", origin->scheme, open, name, close, origin->port, origin->base, path);
    else
        buf_addf(&url, "%s://%s%s%s", origin->scheme, origin->authority, origin->base, path);
    if (buf_check(&url, "URL", err) < 0)
        return -1;
    exchange->url = buf_take(&url);
    return 0;
}

static int request_copy(struct http_exchange *exchange, const struct http_req *req, struct err *err)
{
    if (!is_token(req->method))
        return err_set(err, ERR_INPUT, "not a request method");
    if (req->path[0] != '/' || !is_clean(req->path, false))
        return err_set(err, ERR_INPUT, "a request path begins with \"/\" and has no blanks, \"#\" or control bytes");
    if (strlen(req->path) > LIMIT_URL_BYTES - ORIGIN_PATH - 2 * ORIGIN_NAME)
        return err_set(err, ERR_LIMIT, "a request path has at most %zu bytes", LIMIT_URL_BYTES - ORIGIN_PATH - 2 * ORIGIN_NAME);
    if (url_copy(exchange, req->path, err) < 0)
        return -1;
    exchange->method = mem_strdup(req->method);
    exchange->has_body = req->body != NULL;
    buf_init_exact(&exchange->request, req->body_len);
    if (req->body)
        buf_add(&exchange->request, req->body, req->body_len);
    return headers_copy(exchange, req, err);
}

static void on_time(void *ctx);
static void on_bytes(void *ctx);

struct http_exchange *exchange_new(struct http_client *client, const struct http_req *req, struct err *err)
{
    struct http_exchange *exchange = mem_alloc(sizeof(*exchange));

    exchange->client = client;
    exchange->max_body = req->max_body ? req->max_body : LIMIT_REPLY_BYTES;
    exchange->timeout_ms = req->timeout_ms ? req->timeout_ms : client->timeout_ms;
    exchange->res = (struct http_res){.retry_after = -1};
    buf_init_secret(&exchange->res.body, exchange->max_body);
    exchange->on_bytes = req->on_bytes;
    timer_init(&exchange->timer, client->loop, on_time, exchange);
    timer_init(&exchange->bytes, client->loop, on_bytes, exchange);
    if (request_copy(exchange, req, err) < 0) {
        exchange_free(exchange);
        return NULL;
    }
    exchange->next = client->exchanges;
    exchange->link = &client->exchanges;
    if (exchange->next)
        exchange->next->link = &exchange->next;
    client->exchanges = exchange;
    timer_after(&exchange->timer, exchange->timeout_ms);
    return exchange;
}

/* ----------------------------------------------------------------------------------------------- the answer arrives */

static size_t stop_with(struct http_exchange *exchange, enum err_code code, const char *words)
{
    if (exchange->err.code == ERR_NONE)
        err_set(&exchange->err, code, "%s", words);
    return 0;
}

static void on_bytes(void *ctx)
{
    struct http_exchange *exchange = ctx;

    exchange->on_bytes(exchange->ctx);
}

static bool is_stream(const struct http_exchange *exchange)
{
    long status = 0;

    return exchange->on_bytes && curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status / 100 == 2;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct http_exchange *exchange = ctx;

    if (is_stream(exchange)) {
        timer_after(&exchange->bytes, 0);
        return size * n;
    }
    buf_add(&exchange->res.body, data, size * n);
    if (buf_overflowed(&exchange->res.body)) {
        if (exchange->err.code == ERR_NONE)
            err_set(&exchange->err, ERR_LIMIT, "answer has more than %zu bytes", exchange->max_body);
        return 0;
    }
    return size * n;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" in milliseconds, 0 when it is not one. */
static int64_t date_parse(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

    return end && !*end ? (int64_t)timegm(&tm) * 1000 : 0;
}

static int on_location(struct http_exchange *exchange, const char *value)
{
    size_t len = strlen(value);

    if (len < sizeof(exchange->res.location))
        memcpy(exchange->res.location, value, len + 1);
    return 0;
}

static int on_retry_after(struct http_exchange *exchange, const char *value)
{
    int64_t date = date_parse(value);
    uint64_t seconds;

    if (cur_whole_uint(value, 10, UINT32_MAX, &seconds))
        exchange->res.retry_after = (int64_t)seconds;
    else if (date)
        exchange->res.retry_after = date > clock_wall() ? (date - clock_wall() + 999) / 1000 : 0;
    return 0;
}

static int on_date(struct http_exchange *exchange, const char *value)
{
    exchange->res.date = date_parse(value);
    return 0;
}

static int on_content_encoding(struct http_exchange *exchange, const char *value)
{
    if (!*value || strcasecmp(value, "identity") == 0)
        return 0;
    stop_with(exchange, ERR_INPUT, "answer is compressed, although that was not asked for");
    return -1;
}

static const struct {
    const char *name;
    int (*on_header)(struct http_exchange *exchange, const char *value);
} known_headers[] = {
    {"Location", on_location},
    {"Retry-After", on_retry_after},
    {"Date", on_date},
    {"Content-Encoding", on_content_encoding},
};

/* Interim answers (1xx) come first: only the last status line's headers count. */
static void on_status_line(struct http_exchange *exchange)
{
    exchange->res.location[0] = '\0';
    exchange->res.retry_after = -1;
    exchange->res.date = 0;
}

static int header_read(struct http_exchange *exchange, const char *line, size_t len)
{
    char value[sizeof(exchange->res.location)];
    const char *colon = memchr(line, ':', len), *start, *end = line + len;
    size_t i;

    if (!colon)
        return 0;
    for (i = 0; i < ARRAY_LEN(known_headers); i++)
        if (strlen(known_headers[i].name) == (size_t)(colon - line) && strncasecmp(known_headers[i].name, line, (size_t)(colon - line)) == 0)
            break;
    if (i == ARRAY_LEN(known_headers))
        return 0;
    for (start = colon + 1; start < end && strchr(" \t", *start); start++)
        continue;
    while (end > start && strchr(" \t\r\n", end[-1]))
        end--;
    if ((size_t)(end - start) >= sizeof(value))
        return 0;
    memcpy(value, start, (size_t)(end - start));
    value[end - start] = '\0';
    return known_headers[i].on_header(exchange, value);
}

static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
    struct http_exchange *exchange = ctx;
    size_t len = size * n;

    exchange->header_bytes += len;
    if (exchange->header_bytes > LIMIT_REPLY_HEADER_BYTES) {
        err_set(&exchange->err, ERR_LIMIT, "headers of the answer have more than %zu bytes", LIMIT_REPLY_HEADER_BYTES);
        return 0;
    }
    if (len > 5 && strncmp(line, "HTTP/", 5) == 0)
        on_status_line(exchange);
    else if (header_read(exchange, line, len) < 0)
        return 0;
    return len;
}

/* ------------------------------------------------------------------------------------------------ libcurl's options */

/* An option that libcurl does not take is a mistake of the build; one check at the end of the row. */
#define SET(option, value) (bad |= curl_easy_setopt(easy, CURLOPT_##option, value) != CURLE_OK)

static bool set_limits(const struct http_exchange *exchange, CURL *easy)
{
    const struct http_client *client = exchange->client;
    bool bad = false;

    SET(NOSIGNAL, 1L);
    SET(NOPROGRESS, 1L);
    SET(PROTOCOLS_STR, "http,https");
    SET(FOLLOWLOCATION, 0L);
    SET(PATH_AS_IS, 1L);
    SET(HTTP_VERSION, (long)(client->origin.https && !client->http1_only ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    SET(PIPEWAIT, 1L);
    SET(CONNECTTIMEOUT_MS, (long)client->connect_ms);
    SET(MAXFILESIZE_LARGE, (curl_off_t)exchange->max_body);
    SET(MAXAGE_CONN, (long)IDLE_S);
    SET(TCP_KEEPALIVE, 1L);
    SET(TCP_KEEPIDLE, (long)KEEPALIVE_S);
    SET(TCP_KEEPINTVL, (long)KEEPALIVE_S);
    return !bad;
}

static bool set_request(const struct http_exchange *exchange, CURL *easy)
{
    static const char *const bodies[] = {"POST", "PUT", "PATCH"}; /* with these even no body has a length: 0 */
    bool bad = false, body = exchange->has_body;

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        body = body || strcmp(exchange->method, bodies[i]) == 0;
    SET(URL, exchange->url);
    if (body) {
        SET(POSTFIELDS, exchange->request.data);
        SET(POSTFIELDSIZE_LARGE, (curl_off_t)exchange->request.len);
    }
    if (strcmp(exchange->method, "HEAD") == 0)
        SET(NOBODY, 1L);
    else
        SET(CUSTOMREQUEST, exchange->method);
    SET(HTTPHEADER, exchange->headers);
    if (exchange->client->user_agent)
        SET(USERAGENT, exchange->client->user_agent);
    return !bad;
}

/* Libcurl's own store of authorities is replaced by ours, and its check of names by os/verify's. */
static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *ctx)
{
    struct http_exchange *exchange = ctx;
    struct http_client *client = exchange->client;
    X509_STORE *store = verify_store(&client->verify);

    (void)easy;
    if (!store)
        return CURLE_OUT_OF_MEMORY;
    if (trust_fill(&client->trust, store, &exchange->err) < 0) {
        X509_STORE_free(store);
        return CURLE_SSL_CACERT_BADFILE;
    }
    client_tell(client, client->trust.ca.note);
    verify_watch(ssl_ctx, store, &client->verify);
    return CURLE_OK;
}

static struct curl_blob blob_of(const struct buf *buf)
{
    return (struct curl_blob){.data = buf->data, .len = buf->len, .flags = CURL_BLOB_COPY};
}

/*
 * Handshakes with an address carry no name that os/verify could hold them to when there are two addresses, the server's and a proxy's; libcurl
 * compares addresses exactly, and does it besides.
 */
static long name_check(const char *wanted)
{
    unsigned char address[HOSTNAME_ADDRESS];

    return wanted && hostname_address(str_of(wanted), address) ? 2L : 0L;
}

static bool set_tls(struct http_exchange *exchange, CURL *easy)
{
    const struct http_client *client = exchange->client;
    struct curl_blob cert = blob_of(&client->trust.cert), key = blob_of(&client->trust.key);
    bool bad = false;

    SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(SSL_VERIFYPEER, client->skip_verify ? 0L : 1L);
    SET(SSL_VERIFYHOST, client->skip_verify ? 0L : name_check(client->verify.wanted[0]));
    SET(PROXY_SSL_VERIFYPEER, client->skip_verify ? 0L : 1L);
    SET(PROXY_SSL_VERIFYHOST, client->skip_verify ? 0L : name_check(client->verify.wanted[1]));
    SET(CA_CACHE_TIMEOUT, 0L);
    SET(CAPATH, NOWHERE); /* else it would add the machine's own authorities */
    SET(PROXY_CAPATH, NOWHERE);
    if (!client->skip_verify) {
        SET(SSL_CTX_FUNCTION, on_ssl_ctx);
        SET(SSL_CTX_DATA, exchange);
    }
    if (cert.len) {
        SET(SSLCERT_BLOB, &cert);
        SET(SSLKEY_BLOB, &key);
    }
    return !bad;
}

/* libcurl finds every name it needs in its cache, so that it never asks by itself. */
static bool resolve_fill(struct http_exchange *exchange)
{
    const struct http_client *client = exchange->client;
    const struct origin *target = client->proxied ? &client->proxy : &client->origin;
    _cleanup_buf_ struct buf entry = {0};

    if (client->addresses.count == 0)
        return true;
    buf_init(&entry, LIMIT_URL_BYTES);
    buf_addf(&entry, "%s:%u:", target->host, target->port);
    for (size_t i = 0; i < client->addresses.count; i++)
        buf_addf(&entry, strchr(client->addresses.text[i], ':') ? "%s[%s]" : "%s%s", i ? "," : "", client->addresses.text[i]);
    return !buf_overflowed(&entry) && line_add(&exchange->resolve, entry.data) == 0;
}

static bool connect_to_fill(struct http_exchange *exchange)
{
    const struct origin *origin = &exchange->client->origin;
    _cleanup_buf_ struct buf entry = {0};

    if (!exchange->client->server_name)
        return true;
    buf_init(&entry, LIMIT_URL_BYTES);
    buf_addf(&entry, strchr(origin->host, ':') ? "::[%s]:%u" : "::%s:%u", origin->host, origin->port);
    return !buf_overflowed(&entry) && line_add(&exchange->connect_to, entry.data) == 0;
}

static bool set_target(struct http_exchange *exchange, CURL *easy)
{
    const struct http_client *client = exchange->client;
    bool bad = !resolve_fill(exchange) || !connect_to_fill(exchange);

    SET(RESOLVE, exchange->resolve);
    SET(CONNECT_TO, exchange->connect_to);
    SET(PROXY, client->proxied ? client->proxy_url : ""); /* the environment was asked in http_client_new() */
    SET(NOPROXY, "");
    SET(SUPPRESS_CONNECT_HEADERS, 1L);
    if (client->origin.socket[0])
        SET(UNIX_SOCKET_PATH, client->origin.socket);
    return !bad;
}

/*
 * Each time that a request is about to go out. libcurl sends one that a connection lost or refused unread up to five times more by itself, past
 * all that is counted above; here it may do so once, where a kept connection may have died unseen.
 */
static int on_send(void *ctx, char *to, char *from, int to_port, int from_port)
{
    struct http_exchange *exchange = ctx;
    long fresh = 1;

    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    if (exchange->sends++ == 0) {
        curl_easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &fresh);
        exchange->most_sends = fresh ? 1 : 2;
    }
    if (exchange->sends <= exchange->most_sends)
        return CURL_PREREQFUNC_OK;
    stop_with(exchange, ERR_RETRY, "the server refused the request, or closed the connection, before it read it");
    return CURL_PREREQFUNC_ABORT;
}

static bool set_callbacks(struct http_exchange *exchange, CURL *easy)
{
    bool bad = false;

    SET(PRIVATE, exchange);
    SET(ERRORBUFFER, exchange->curl_text);
    SET(WRITEFUNCTION, on_body);
    SET(WRITEDATA, exchange);
    SET(HEADERFUNCTION, on_header);
    SET(HEADERDATA, exchange);
    SET(PREREQFUNCTION, on_send);
    SET(PREREQDATA, exchange);
    return !bad;
}

void exchange_start(struct http_exchange *exchange, struct http_pool *pool)
{
    CURL *easy = curl_easy_init();
    struct err err;

    exchange->easy = easy;
    if (!easy || !set_limits(exchange, easy) || !set_request(exchange, easy) || !set_tls(exchange, easy) || !set_target(exchange, easy) ||
        !set_callbacks(exchange, easy)) {
        err_set(&err, ERR_SYSTEM, "%s: libcurl refuses an option", exchange->client->origin.name);
        exchange_fail(exchange, &err);
        return;
    }
    if (pool_add(pool, easy, &err) < 0) {
        exchange_fail(exchange, &err);
        return;
    }
    exchange->pool = pool;
    exchange->client->counts.requests++;
}

/* ------------------------------------------------------------------------------------------------ over, and the end */

static void slist_wipe(struct curl_slist **list)
{
    for (struct curl_slist *item = *list; item; item = item->next)
        mem_wipe_str(item->data);
    curl_slist_free_all(*list);
    *list = NULL;
}

static void leave_libcurl(struct http_exchange *exchange)
{
    long connections = 0;

    if (exchange->easy && curl_easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &connections) == CURLE_OK)
        exchange->client->counts.connections += (unsigned long)connections;
    if (exchange->pool)
        pool_remove(exchange->pool, exchange->easy);
    exchange->pool = NULL;
    curl_easy_cleanup(exchange->easy);
    exchange->easy = NULL;
    slist_wipe(&exchange->headers);
    buf_done(&exchange->request);
}

static void deliver_soon(struct http_exchange *exchange)
{
    leave_libcurl(exchange);
    exchange->over = true;
    timer_at(&exchange->timer, clock_now());
}

void exchange_fail(struct http_exchange *exchange, const struct err *err)
{
    exchange->err = *err;
    deliver_soon(exchange);
}

static int version_of(CURL *easy)
{
    long version = 0;

    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    return version == CURL_HTTP_VERSION_2_0 ? 20 : version == CURL_HTTP_VERSION_1_0 ? 10 : 11;
}

bool exchange_has_begun(const struct http_exchange *exchange)
{
    curl_off_t us = 0;

    return exchange->easy && curl_easy_getinfo(exchange->easy, CURLINFO_PRETRANSFER_TIME_T, &us) == CURLE_OK && us > 0;
}

void exchange_on_over(void *ctx, CURLcode code)
{
    struct http_exchange *exchange = ctx;
    struct http_client *client = exchange->client;
    struct http_pool *pool = exchange->pool;
    bool begun = exchange_has_begun(exchange);
    struct err err;
    long status = 0;

    if (code == CURLE_OK) {
        curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
        exchange->res.status = (int)status;
        exchange->res.http_version = version_of(exchange->easy);
        exchange->err.code = ERR_NONE;
        deliver_soon(exchange);
        return;
    }
    http_error_explain(exchange, code, &err);
    exchange_fail(exchange, &err);
    if (!begun && http_error_is_connect(code))
        client_on_no_connection(client, pool, &err);
    else if (http_error_is_loss(code))
        client_drop_pool(client, pool);
}

static void unlink_exchange(struct http_exchange *exchange)
{
    if (!exchange->link)
        return;
    *exchange->link = exchange->next;
    if (exchange->next)
        exchange->next->link = exchange->link;
    exchange->link = NULL;
}

void exchange_free(struct http_exchange *exchange)
{
    timer_stop(&exchange->timer);
    timer_stop(&exchange->bytes);
    leave_libcurl(exchange);
    unlink_exchange(exchange);
    slist_wipe(&exchange->resolve);
    slist_wipe(&exchange->connect_to);
    buf_done(&exchange->res.body);
    mem_free(exchange->method);
    mem_free(exchange->url);
    mem_free(exchange);
}

/* The callback may free the client, so nothing of it is touched afterwards. */
static void deliver(struct http_exchange *exchange)
{
    _cleanup_(buf_done) struct buf body = exchange->res.body;
    struct http_res res = exchange->res;
    struct err err = exchange->err;
    http_done *done = exchange->done;
    struct http_client *client = exchange->client;
    void *ctx = exchange->ctx;

    buf_init_secret(&exchange->res.body, 0);
    exchange_free(exchange);
    if (client->close_when_idle)
        http_client_idle(client);
    if (err.code != ERR_NONE) {
        done(ctx, NULL, &err);
        return;
    }
    done(ctx, &res, NULL);
    body = res.body;
}

static void on_time(void *ctx)
{
    struct http_exchange *exchange = ctx;
    struct http_pool *pool = exchange->pool;

    if (!exchange->over) {
        http_error_timeout(exchange, &exchange->err);
        if (pool)
            client_drop_pool(exchange->client, pool);
    }
    deliver(exchange);
}
