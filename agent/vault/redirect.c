#include "vault/redirect.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/val.h"

struct peer {
    char *origin; /* "https://host:port" */
    struct http_client *http;
    uint64_t used; /* counts up: the smallest has waited longest */
};

struct redirect {
    struct loop *loop;
    struct http_client *home;
    struct http_options options; /* texts owned */
    struct peer peers[LIMIT_REDIRECT_HOSTS];
    size_t peer_count;
    uint64_t uses;
};

/* The parts of "scheme://host:port/path", borrowed. */
struct place_of {
    struct str scheme, host, origin;
    const char *path;
};

static const size_t text_offsets[] = {
    offsetof(struct http_options, address),        offsetof(struct http_options, ca_cert),
    offsetof(struct http_options, ca_path),        offsetof(struct http_options, client_cert),
    offsetof(struct http_options, client_key),     offsetof(struct http_options, server_name),
    offsetof(struct http_options, proxy),          offsetof(struct http_options, user_agent),
    offsetof(struct http_options, ca_pem),         offsetof(struct http_options, client_cert_pem),
    offsetof(struct http_options, client_key_pem),
};

static const char **text_of(struct http_options *options, size_t i)
{
    return (const char **)((char *)options + text_offsets[i]);
}

struct redirect *redirect_new(struct loop *loop, struct http_client *home, const struct http_options *options)
{
    struct redirect *redirect = mem_alloc(sizeof(*redirect));

    redirect->loop = loop;
    redirect->home = home;
    redirect->options = *options;
    for (size_t i = 0; i < ARRAY_LEN(text_offsets); i++) {
        const char **text = text_of(&redirect->options, i);

        *text = *text ? mem_strdup(*text) : NULL;
    }
    return redirect;
}

static void replace(const char **text, const char *other)
{
    mem_free((void *)*text);
    *text = other ? mem_strdup(other) : NULL;
}

void redirect_trust(struct redirect *redirect, const struct http_options *options)
{
    replace(&redirect->options.ca_cert, options->ca_cert);
    replace(&redirect->options.ca_path, options->ca_path);
    replace(&redirect->options.client_cert, options->client_cert);
    replace(&redirect->options.client_key, options->client_key);
    replace(&redirect->options.ca_pem, options->ca_pem);
    replace(&redirect->options.client_cert_pem, options->client_cert_pem);
    replace(&redirect->options.client_key_pem, options->client_key_pem);
    for (size_t i = 0; i < redirect->peer_count; i++)
        http_client_trust(redirect->peers[i].http, options);
}

void redirect_limit(struct redirect *redirect, unsigned max_connections)
{
    redirect->options.max_connections = max_connections;
    for (size_t i = 0; i < redirect->peer_count; i++)
        http_client_limit(redirect->peers[i].http, max_connections);
}

static void peer_done(struct peer *peer)
{
    http_client_free(peer->http);
    mem_free(peer->origin);
    *peer = (struct peer){0};
}

void redirect_free(struct redirect *redirect)
{
    if (!redirect)
        return;
    for (size_t i = 0; i < redirect->peer_count; i++)
        peer_done(&redirect->peers[i]);
    for (size_t i = 0; i < ARRAY_LEN(text_offsets); i++)
        mem_free((void *)*text_of(&redirect->options, i));
    mem_free(redirect);
}

static bool split(const char *url, struct place_of *ret)
{
    const char *sep = strstr(url, "://");
    const char *authority = sep ? sep + 3 : NULL;
    size_t len = authority ? strcspn(authority, "/?#") : 0;
    const char *host_end;

    if (!len || memchr(authority, '@', len))
        return false;
    host_end = authority[0] == '[' ? memchr(authority, ']', len) : NULL;
    if (authority[0] == '[' && !host_end)
        return false;
    ret->scheme = (struct str){url, (size_t)(sep - url)};
    ret->host = authority[0] == '[' ? (struct str){authority, (size_t)(host_end - authority) + 1}
                                    : (struct str){authority, strcspn(authority, ":/?#")};
    ret->origin = (struct str){url, (size_t)(authority - url) + len};
    ret->path = authority + len;
    return true;
}

static bool same_text(struct str a, struct str b)
{
    return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

static bool is_address(struct str host)
{
    char text[64];
    struct in_addr v4;

    if (host.len >= sizeof(text))
        return false;
    memcpy(text, host.data, host.len);
    text[host.len] = '\0';
    return host.data[0] == '[' || inet_pton(AF_INET, text, &v4) == 1;
}

static struct peer *find_peer(struct redirect *redirect, const char *origin)
{
    for (size_t i = 0; i < redirect->peer_count; i++)
        if (strcmp(redirect->peers[i].origin, origin) == 0)
            return &redirect->peers[i];
    return NULL;
}

/* A place for one more. Pods of a server come and go: the one that was not asked for longest makes room, unless it still owes an
 * answer. */
static struct peer *make_room(struct redirect *redirect)
{
    struct peer *oldest = NULL;

    if (redirect->peer_count < LIMIT_REDIRECT_HOSTS)
        return &redirect->peers[redirect->peer_count++];
    for (size_t i = 0; i < redirect->peer_count; i++) {
        struct peer *peer = &redirect->peers[i];

        if (!http_client_busy(peer->http) && (!oldest || peer->used < oldest->used))
            oldest = peer;
    }
    if (oldest)
        peer_done(oldest);
    return oldest;
}

static int open_peer(struct redirect *redirect, const struct place_of *to, const char *server_name, struct http_client **ret,
                     struct err *err)
{
    struct http_options options = redirect->options;
    _cleanup_free_ char *origin = mem_strndup(to->origin.data, to->origin.len);
    struct peer *peer = find_peer(redirect, origin);
    struct http_client *http;

    options.address = origin;
    options.server_name = server_name;
    if (!peer) {
        if (http_client_new(redirect->loop, &options, &http, err) != 0)
            return -1;
        peer = make_room(redirect);
        if (!peer) {
            http_client_free(http);
            return err_set(err, ERR_RETRY, "redirected to more than %d hosts at once", LIMIT_REDIRECT_HOSTS);
        }
        *peer = (struct peer){.origin = steal(origin), .http = http};
    }
    peer->used = ++redirect->uses;
    *ret = peer->http;
    return 0;
}

/* May another host than ours be asked? Only one that proves our host's name. */
static int check_foreign(const struct redirect *redirect, const struct place_of *home, struct err *err)
{
    bool named = redirect->options.server_name && redirect->options.server_name[0];

    if (!same_text(home->scheme, STR("https")))
        return err_set(err, ERR_DENIED,
                       "redirected to another host over plain HTTP: refused; point vault.address at the active node");
    if (redirect->options.skip_verify)
        return err_set(err, ERR_DENIED,
                       "redirected to another host without TLS verification: refused; point vault.address at the active node");
    if (!named && is_address(home->host))
        return err_set(
            err, ERR_DENIED,
            "redirected to another host and vault.address holds no name to check it by: refused; set vault.tls_server_name");
    return 0;
}

int redirect_find(struct redirect *redirect, const char *location, struct http_client **ret, const char **ret_path,
                  struct err *err)
{
    struct place_of home, to;
    _cleanup_free_ char *name = NULL;
    const char *server_name = redirect->options.server_name;

    if (location[0] == '/' && location[1] != '/') {
        *ret = redirect->home;
        *ret_path = location;
        return 0;
    }
    if (!split(location, &to) || !split(redirect->options.address, &home) || to.path[0] != '/')
        return err_set(err, ERR_DENIED, "redirected to nowhere: the Location header is missing or not a URL");
    if (!same_text(to.scheme, home.scheme))
        return err_set(err, ERR_DENIED, "redirected to another scheme: refused; point vault.address at the active node");
    if (!same_text(to.host, home.host)) {
        if (check_foreign(redirect, &home, err) != 0)
            return -1;
        name = mem_strndup(home.host.data, home.host.len);
        server_name = server_name && server_name[0] ? server_name : name;
    }
    if (open_peer(redirect, &to, server_name, ret, err) != 0)
        return err_wrap(err, "redirect");
    *ret_path = to.path;
    return 0;
}

void redirect_idle(struct redirect *redirect)
{
    for (size_t i = 0; i < redirect->peer_count; i++)
        http_client_idle(redirect->peers[i].http);
}

void redirect_renew(struct redirect *redirect)
{
    for (size_t i = 0; i < redirect->peer_count; i++)
        http_client_renew(redirect->peers[i].http);
}

void redirect_reach(const struct redirect *redirect, struct reach *reach)
{
    struct place_of home;

    http_reach(&redirect->options, reach);
    if (split(redirect->options.address, &home))
        reach_any_port(reach);
}
