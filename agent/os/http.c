#include "os/http_client.h"

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/cur.h"
#include "base/mem.h"
#include "os/proxy.h"
#include "os/x509.h"

enum {
    TIMEOUT_MS = 60000,
    CONNECT_MS = 10000,
    ADDRESSES_FRESH_MS = 10000, /* a second connection of a busy client may use the first one's addresses */
};

/* ------------------------------------------------------------------------------------------------------------ birth */

static char *copy_or_null(const char *text)
{
    return text && *text ? mem_strdup(text) : NULL;
}

static int proxy_choose(struct http_client *client, const char *explicit, struct err *err)
{
    struct proxy_env env = proxy_env_read();
    const char *url = explicit && *explicit ? explicit : proxy_for(&env, client->origin.https, client->origin.host, client->origin.port);
    const char *rest;
    _cleanup_buf_ struct buf full = {0};

    if (!url || client->origin.socket[0])
        return 0;
    if (origin_parse_proxy(url, &client->proxy, err) < 0)
        return -1;
    rest = strstr(url, "://");
    rest = rest ? rest + 3 : url;
    rest = strrchr(rest, '@') ? rest : NULL;
    buf_init_secret(&full, 4096);
    /* Go lets a SOCKS proxy resolve the name; and a port is spelled out, since libcurl's default for proxies is 1080. */
    buf_addf(&full, "%s://", strcmp(client->proxy.scheme, "socks5") == 0 ? "socks5h" : client->proxy.scheme);
    if (rest)
        buf_add(&full, rest, (size_t)(strrchr(rest, '@') + 1 - rest));
    buf_addf(&full, strchr(client->proxy.host, ':') ? "[%s]:%u" : "%s:%u", client->proxy.host, client->proxy.port);
    if (buf_check(&full, "proxy URL", err) < 0)
        return -1;
    client->proxy_url = buf_take(&full);
    client->proxied = true;
    return 0;
}

/* Once for each text: CA files are read again at every connection. */
void client_tell(struct http_client *client, const char *note)
{
    if (!*note || !client->on_note || (client->told && strcmp(client->told, note) == 0))
        return;
    mem_free(client->told);
    client->told = mem_strdup(note);
    client->on_note(note);
}

static int trust_read(struct http_client *client, struct trust *ret, struct err *err)
{
    struct trust_files files = {client->ca_cert, client->ca_path, client->client_cert, client->client_key, client->ca_pem};

    if (trust_load(ret, &files, err) < 0)
        return -1;
    client_tell(client, ret->ca.note);
    return 0;
}

/* "[::1]" is an address as well. */
static char *server_name_copy(const char *name)
{
    size_t len = name ? strlen(name) : 0;

    if (len > 2 && name[0] == '[' && name[len - 1] == ']')
        return mem_strndup(name + 1, len - 2);
    return copy_or_null(name);
}

static void wanted_fill(struct http_client *client)
{
    bool tls_proxy = client->proxied && strcmp(client->proxy.scheme, "https") == 0;

    client->verify.wanted[0] = client->server_name ? client->server_name : client->origin.host;
    client->verify.wanted[1] = tls_proxy ? client->proxy.host : NULL;
}

static int place_fill(struct http_client *client, const struct http_options *options, struct err *err)
{
    return origin_parse(options->address, &client->origin, err) < 0 || proxy_choose(client, options->proxy, err) < 0 ? -1 : 0;
}

int http_check(const struct http_options *options, struct err *err)
{
    struct http_client *client = mem_alloc(sizeof(*client));
    int result = place_fill(client, options, err);

    mem_wipe_str(client->proxy_url);
    mem_free(client->proxy_url);
    mem_free(client);
    return result;
}

int http_check_files(const struct http_options *options, struct err *err)
{
    const struct trust_files files = {options->ca_cert, options->ca_path, options->client_cert, options->client_key, options->ca_pem};
    struct trust trust;

    if (trust_load(&trust, &files, err) < 0)
        return -1;
    trust_done(&trust);
    return 0;
}

static int client_fill(struct http_client *client, const struct http_options *options, struct err *err)
{
    if (place_fill(client, options, err) < 0)
        return -1;
    client->ca_cert = copy_or_null(options->ca_cert);
    client->ca_pem = copy_or_null(options->ca_pem);
    client->ca_path = copy_or_null(options->ca_path);
    client->client_cert = copy_or_null(options->client_cert);
    client->client_key = copy_or_null(options->client_key);
    client->server_name = client->origin.https ? server_name_copy(options->server_name) : NULL;
    client->user_agent = copy_or_null(options->user_agent);
    client->on_trust = options->on_trust;
    client->ctx = options->ctx;
    client->skip_verify = options->skip_verify;
    client->http1_only = options->http1_only;
    client->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    client->connect_ms = options->connect_ms ? options->connect_ms : CONNECT_MS;
    client->resolv_conf = copy_or_null(options->resolv_conf);
    client->hosts = copy_or_null(options->hosts);
    client->names = (struct dns_options){.resolv_conf = client->resolv_conf, .hosts = client->hosts};
    client->on_note = options->on_note;
    wanted_fill(client);
    return trust_read(client, &client->trust, err);
}

int http_client_new(struct loop *loop, const struct http_options *options, struct http_client **ret, struct err *err)
{
    struct http_client *client;

    /* Of OpenSSL's reasons only those of TLS are read, see http_error; the others would take 40 KiB. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_SYSTEM, "libcurl cannot start");
    client = mem_alloc(sizeof(*client));
    client->loop = loop;
    if (client_fill(client, options, err) < 0) {
        http_client_free(client);
        return -1;
    }
    *ret = client;
    return 0;
}

/* The way to the server is found as a client finds it; one that cannot be found is told by http_client_new(). */
void http_reach(const struct http_options *options, struct reach *reach)
{
    const struct trust_files files = {options->ca_cert, options->ca_path, options->client_cert, options->client_key, options->ca_pem};
    const struct dns_options names = {.resolv_conf = options->resolv_conf, .hosts = options->hosts};
    struct http_client way = {0};
    struct err ignored;

    trust_reach(&files, reach);
    if (origin_parse(options->address, &way.origin, &ignored) < 0 || proxy_choose(&way, options->proxy, &ignored) < 0 || way.origin.socket[0])
        return;
    dns_reach(&names, reach);
    reach_port(reach, (uint16_t)(way.proxied ? way.proxy.port : way.origin.port));
    mem_wipe_str(way.proxy_url);
    mem_free(way.proxy_url);
}

static void client_wipe(struct http_client *client)
{
    char *const texts[] = {client->proxy_url,  client->ca_cert,     client->ca_pem,     client->ca_path,     client->client_cert,
                           client->client_key, client->server_name, client->user_agent, client->resolv_conf, client->hosts,
                           client->told};

    mem_wipe_str(client->proxy_url);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        mem_free(texts[i]);
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    dns_cancel(client->query);
    while (client->exchanges)
        exchange_free(client->exchanges);
    pool_free(client->pool);
    trust_done(&client->trust);
    client_wipe(client);
    mem_free(client);
    curl_global_cleanup();
}

/* -------------------------------------------------------------------------------------- addresses, then connections */

static const char *host_to_reach(const struct http_client *client)
{
    return client->proxied ? client->proxy.host : client->origin.host;
}

static bool needs_addresses(const struct http_client *client)
{
    bool reusable = client->pool && client->pool->open > 0 && clock_now() - client->resolved_at < ADDRESSES_FRESH_MS;

    return !client->origin.socket[0] && !reusable && !address_is_literal(host_to_reach(client));
}

static void report_trust(const struct http_client *client, const struct err *err)
{
    if (client->on_trust)
        client->on_trust(client->ctx, err);
}

/* A server need not say why it closes the connection. */
static int check_own(const struct http_client *client, struct err *err)
{
    struct cur text = cur_of(client->trust.cert.data, client->trust.cert.len);
    _cleanup_x509_block_ struct x509_block own = {0};
    struct err ignored;

    if (!client->trust.cert.len || x509_next(&text, &own, &ignored) != 1 || own.kind != X509_CERTIFICATE || own.not_after > clock_wall())
        return 0;
    return err_set(err, ERR_DENIED, "client_cert %s: the certificate expired %lld s ago; is anybody still replacing it?", client->client_cert,
                   (long long)((clock_wall() - own.not_after) / 1000));
}

/* Certificates are rotated under us: read anew before every new connection, the old ones stay while the new are not whole. */
static void trust_refresh(struct http_client *client)
{
    struct trust fresh;
    struct err err;

    if (!client->origin.https)
        return;
    if (trust_read(client, &fresh, &err) < 0) {
        report_trust(client, &err);
        return;
    }
    trust_done(&client->trust);
    client->trust = fresh;
    report_trust(client, check_own(client, &err) < 0 ? &err : NULL);
}

static void begin(struct http_client *client, struct http_exchange *exchange)
{
    struct err err;

    if (!client->pool || client->pool->open + client->pool->running == 0)
        trust_refresh(client);
    if (!client->pool)
        client->pool = pool_new(client->loop, exchange_on_over, &err);
    if (client->pool)
        exchange_start(exchange, client->pool);
    else
        exchange_fail(exchange, &err);
}

static bool is_waiting(const struct http_exchange *exchange)
{
    return !exchange->over && !exchange->pool;
}

/* The list has the newest first; requests go out in the order they came. */
static struct http_exchange *oldest_waiting(struct http_client *client)
{
    struct http_exchange *found = NULL;

    for (struct http_exchange *exchange = client->exchanges; exchange; exchange = exchange->next)
        if (is_waiting(exchange))
            found = exchange;
    return found;
}

static void on_addresses(void *ctx, const struct addresses *found, const struct err *cause)
{
    struct http_client *client = ctx;
    struct http_exchange *exchange;
    struct err err;

    client->query = NULL;
    if (found) {
        client->addresses = *found;
        client->resolved_at = clock_now();
    }
    while ((exchange = oldest_waiting(client))) {
        if (found) {
            begin(client, exchange);
        } else {
            http_error_names(client, cause, &err);
            exchange_fail(exchange, &err);
        }
    }
}

struct http_exchange *http_send(struct http_client *client, const struct http_req *req, http_done *done, void *ctx, struct err *err)
{
    struct http_exchange *exchange = exchange_new(client, req, err);

    if (!exchange)
        return NULL;
    exchange->done = done;
    exchange->ctx = ctx;
    if (!needs_addresses(client)) {
        begin(client, exchange);
        return exchange;
    }
    if (!client->query)
        client->query = dns_start(client->loop, &client->names, host_to_reach(client), on_addresses, client, err);
    if (!client->query) {
        exchange_free(exchange);
        err_wrap(err, "%s", client->origin.name);
        return NULL;
    }
    return exchange;
}

void http_cancel(struct http_exchange *exchange)
{
    exchange_free(exchange);
}

/* ------------------------------------------------------------------------------------------- the end of connections */

void client_drop_pool(struct http_client *client, struct http_pool *pool)
{
    if (client->pool == pool)
        client->pool = NULL;
    pool_retire(pool);
}

void client_on_no_connection(struct http_client *client, const struct http_pool *pool, const struct err *err)
{
    for (struct http_exchange *exchange = client->exchanges; exchange; exchange = exchange->next)
        if (exchange->pool == pool && !exchange->over && !exchange_has_begun(exchange))
            exchange_fail(exchange, err);
    if (client->pool == pool)
        client_drop_pool(client, client->pool);
}

void http_client_idle(struct http_client *client)
{
    bool busy = client->pool && client->pool->running > 0;

    client->close_when_idle = busy;
    if (client->pool && !busy)
        client_drop_pool(client, client->pool);
}

void http_client_renew(struct http_client *client)
{
    if (client->pool)
        client_drop_pool(client, client->pool);
}

bool http_client_busy(const struct http_client *client)
{
    return client->exchanges != NULL;
}

struct http_counts http_client_counts(const struct http_client *client)
{
    return client->counts;
}
