#include "net/http_way.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "net/proxy.h"
#include "tls/x509.h"

enum {
    TIMEOUT_MS = 60000,
    CONNECT_MS = 10000,
    ADDRESSES_FRESH_MS = 10000, /* a second connection of a busy client may use the first one's addresses */
};

/* -------------------------------------------------------------------------------------------------- whom to believe */

/* Once for each text: CA files are read again at every connection. */
void http_way_tell(struct http_way *way, const char *note)
{
    if (!*note || !way->on_note || (way->told && strcmp(way->told, note) == 0))
        return;
    mem_free(way->told);
    way->told = mem_strdup(note);
    way->on_note(note);
}

static int trust_read(struct http_way *way, struct trust *ret, struct err *err)
{
    struct trust_files files = {way->ca_cert, way->ca_path,         way->client_cert,   way->client_key,
                                way->ca_pem,  way->client_cert_pem, way->client_key_pem};

    if (trust_load(ret, &files, err) != 0)
        return -1;
    http_way_tell(way, ret->ca.note);
    return 0;
}

static void report_trust(const struct http_way *way, const struct err *err)
{
    if (way->on_trust)
        way->on_trust(way->ctx, err);
}

/* A server need not say why it closes the connection. */
static int check_own(const struct http_way *way, struct err *err)
{
    struct cursor text = cursor_of(way->trust.cert.data, way->trust.cert.len);
    _cleanup_x509_block_ struct x509_block own = {0};
    struct err ignored;

    if (!way->trust.cert.len || x509_next(&text, &own, &ignored) != 1 || own.kind != X509_CERTIFICATE ||
        own.not_after > clock_wall())
        return 0;
    return err_set(err, ERR_DENIED, "client_cert %s: the certificate expired %lld s ago; is anybody still replacing it?",
                   way->client_cert, (long long)((clock_wall() - own.not_after) / 1000));
}

/* Certificates are rotated under us: read anew before every new connection, the old ones stay while the new are not whole. */
void http_way_trust_again(struct http_way *way)
{
    struct trust fresh;
    struct err err;

    if (!way->origin.https)
        return;
    if (trust_read(way, &fresh, &err) != 0) {
        report_trust(way, &err);
        return;
    }
    trust_done(&way->trust);
    way->trust = fresh;
    report_trust(way, check_own(way, &err) != 0 ? &err : NULL);
}

/* ------------------------------------------------------------------------------------------------ birth and the end */

static char *copy_or_null(const char *text)
{
    return text && *text ? mem_strdup(text) : NULL;
}

static void replace(char **text, const char *other)
{
    mem_free(*text);
    *text = copy_or_null(other);
}

void http_way_trust_others(struct http_way *way, const struct http_options *options)
{
    replace(&way->ca_cert, options->ca_cert);
    replace(&way->ca_path, options->ca_path);
    replace(&way->client_cert, options->client_cert);
    replace(&way->client_key, options->client_key);
    replace(&way->ca_pem, options->ca_pem);
    replace(&way->client_cert_pem, options->client_cert_pem);
    mem_wipe_str(way->client_key_pem);
    replace(&way->client_key_pem, options->client_key_pem);
    http_way_trust_again(way);
}

static int proxy_choose(struct http_way *way, const struct http_options *options, struct err *err)
{
    struct proxy_env env = options->direct ? (struct proxy_env){0} : proxy_env_read();
    const char *explicit = options->direct ? NULL : options->proxy;
    const char *url = explicit && *explicit ? explicit : proxy_for(&env, way->origin.https, way->origin.host, way->origin.port);
    const char *rest;
    _cleanup_buf_ struct buf full = {0};

    if (!url || way->origin.socket[0])
        return 0;
    if (origin_parse_proxy(url, &way->proxy, err) != 0)
        return -1;
    rest = strstr(url, "://");
    rest = rest ? rest + 3 : url;
    rest = strrchr(rest, '@') ? rest : NULL;
    buf_init_secret(&full, 4096);
    /* Go lets a SOCKS proxy resolve the name; and a port is spelled out, since libcurl's default for proxies is 1080. */
    buf_addf(&full, "%s://", strcmp(way->proxy.scheme, "socks5") == 0 ? "socks5h" : way->proxy.scheme);
    if (rest)
        buf_add(&full, rest, (size_t)(strrchr(rest, '@') + 1 - rest));
    buf_addf(&full, strchr(way->proxy.host, ':') ? "[%s]:%u" : "%s:%u", way->proxy.host, way->proxy.port);
    if (buf_check(&full, "proxy URL", err) != 0)
        return -1;
    way->proxy_url = buf_take(&full);
    way->proxied = true;
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

static void wanted_fill(struct http_way *way)
{
    bool tls_proxy = way->proxied && strcmp(way->proxy.scheme, "https") == 0;

    way->verify.wanted[0] = way->server_name ? way->server_name : way->origin.host;
    way->verify.wanted[1] = tls_proxy ? way->proxy.host : NULL;
}

int http_way_find(struct http_way *way, const struct http_options *options, struct err *err)
{
    return origin_parse(options->address, &way->origin, err) != 0 || proxy_choose(way, options, err) != 0 ? -1 : 0;
}

int http_way_init(struct http_way *way, const struct http_options *options, struct err *err)
{
    if (http_way_find(way, options, err) != 0)
        return -1;
    way->ca_cert = copy_or_null(options->ca_cert);
    way->ca_pem = copy_or_null(options->ca_pem);
    way->ca_path = copy_or_null(options->ca_path);
    way->client_cert = copy_or_null(options->client_cert);
    way->client_key = copy_or_null(options->client_key);
    way->client_cert_pem = copy_or_null(options->client_cert_pem);
    way->client_key_pem = copy_or_null(options->client_key_pem);
    way->server_name = way->origin.https ? server_name_copy(options->server_name) : NULL;
    way->user_agent = copy_or_null(options->user_agent);
    way->on_trust = options->on_trust;
    way->ctx = options->ctx;
    way->skip_verify = options->skip_verify;
    way->http1_only = options->http1_only;
    way->services = options->services && !way->proxied && !way->origin.port_given && !way->origin.socket[0] &&
                    !address_is_literal(way->origin.host);
    way->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    way->connect_ms = options->connect_ms ? options->connect_ms : CONNECT_MS;
    way->resolv_conf = copy_or_null(options->resolv_conf);
    way->hosts = copy_or_null(options->hosts);
    way->names = (struct dns_options){.resolv_conf = way->resolv_conf, .hosts = way->hosts};
    way->on_note = options->on_note;
    wanted_fill(way);
    return trust_read(way, &way->trust, err);
}

void http_way_done(struct http_way *way)
{
    char *const texts[] = {way->proxy_url,  way->ca_cert,         way->ca_pem,        way->ca_path,     way->client_cert,
                           way->client_key, way->server_name,     way->user_agent,    way->resolv_conf, way->hosts,
                           way->told,       way->client_cert_pem, way->client_key_pem};

    trust_done(&way->trust);
    mem_wipe_str(way->proxy_url);
    mem_wipe_str(way->client_key_pem);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        mem_free(texts[i]);
}

/* -------------------------------------------------------------------------------------------------------- addresses */

const char *http_way_host(const struct http_way *way)
{
    return way->proxied ? way->proxy.host : way->service.port ? way->service.host : way->origin.host;
}

unsigned http_way_port(const struct http_way *way)
{
    return way->proxied ? way->proxy.port : way->service.port ? way->service.port : way->origin.port;
}

void http_way_move(struct http_way *way, const struct dns_service *service)
{
    way->service = service ? *service : (struct dns_service){.port = 0};
}

bool http_way_is_known(const struct http_way *way, bool connected)
{
    return way->origin.socket[0] || address_is_literal(http_way_host(way)) ||
           (connected && clock_now() - way->resolved_at < ADDRESSES_FRESH_MS);
}

void http_way_learn(struct http_way *way, const struct addresses *found)
{
    way->addresses = *found;
    way->resolved_at = clock_now();
}

void http_way_reach(const struct http_options *options, struct reach *reach)
{
    const struct trust_files files = {options->ca_cert, options->ca_path,         options->client_cert,   options->client_key,
                                      options->ca_pem,  options->client_cert_pem, options->client_key_pem};
    const struct dns_options names = {.resolv_conf = options->resolv_conf, .hosts = options->hosts};
    struct http_way way = {0};
    struct err ignored;

    trust_reach(&files, reach);
    if (http_way_find(&way, options, &ignored) == 0 && !way.origin.socket[0]) {
        dns_reach(&names, reach);
        reach_port(reach, (uint16_t)(way.proxied ? way.proxy.port : way.origin.port));
        if (options->services)
            reach_any_port(reach);
    }
    http_way_done(&way);
}
