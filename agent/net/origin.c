#include "net/origin.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "base/mem.h"

static const struct scheme {
    const char *name;
    unsigned port;
    bool address, proxy;
} schemes[] = {
    {"http", 80, true, true},
    {"https", 443, true, true},
    {"socks5", 1080, false, true},
    {"socks5h", 1080, false, true},
};

static void url_cleanup(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void part_cleanup(char **part)
{
    curl_free(*part);
}

/* Copy a part if it is there and fits; 0, or 1 when it is missing, or -1 when it is too long. */
static int part_copy(CURLU *url, CURLUPart which, char *ret, size_t size)
{
    _cleanup_(part_cleanup) char *part = NULL;

    ret[0] = '\0';
    if (curl_url_get(url, which, &part, 0) != CURLUE_OK)
        return 1;
    if (strlen(part) >= size)
        return -1;
    memcpy(ret, part, strlen(part) + 1);
    return 0;
}

static bool part_given(CURLU *url, CURLUPart which)
{
    char part[2];

    return part_copy(url, which, part, sizeof(part)) != 1;
}

static const struct scheme *scheme_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strcasecmp(schemes[i].name, name) == 0)
            return &schemes[i];
    return NULL;
}

static void brackets_cut(char *host)
{
    size_t len = strlen(host);

    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        memmove(host, host + 1, len - 2);
        host[len - 2] = '\0';
    }
}

static void names_fill(struct origin *origin, const struct scheme *scheme)
{
    const char *open = strchr(origin->host, ':') ? "[" : "", *close = *open ? "]" : "";

    if (origin->port == scheme->port)
        snprintf(origin->authority, sizeof(origin->authority), "%s%s%s", open, origin->host, close);
    else
        snprintf(origin->authority, sizeof(origin->authority), "%s%s%s:%u", open, origin->host, close, origin->port);
    snprintf(origin->name, sizeof(origin->name), "%s://%s%s%s:%u", scheme->name, open, origin->host, close, origin->port);
}

static int parts_read(CURLU *url, struct origin *origin, const struct scheme *scheme, struct err *err)
{
    char port[8];
    uint64_t number;
    size_t len;

    if (part_copy(url, CURLUPART_HOST, origin->host, sizeof(origin->host)) != 0 || origin->host[0] == '\0')
        return err_set(err, ERR_INPUT, "its host is missing or too long");
    brackets_cut(origin->host);
    origin->port = scheme->port;
    if (part_copy(url, CURLUPART_PORT, port, sizeof(port)) == 0 && cursor_whole_uint(port, 10, UINT16_MAX, &number)) {
        origin->port = (unsigned)number;
        origin->port_given = true;
    }
    if (part_copy(url, CURLUPART_PATH, origin->base, sizeof(origin->base)) < 0)
        return err_set(err, ERR_INPUT, "its path has more than %d bytes", ORIGIN_PATH - 1);
    for (len = strlen(origin->base); len > 0 && origin->base[len - 1] == '/'; len--)
        origin->base[len - 1] = '\0';
    origin->https = strcmp(scheme->name, "https") == 0;
    names_fill(origin, scheme);
    return 0;
}

/* The scheme of the table, NULL with `err` when the text is not a URL of ours. */
static const struct scheme *url_read(CURLU *url, const char *text, struct origin *origin, struct err *err)
{
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS);
    const struct scheme *scheme = NULL;

    if (code != CURLUE_OK) {
        err_set(err, ERR_INPUT, "not a URL: %s", curl_url_strerror(code));
        return NULL;
    }
    if (part_copy(url, CURLUPART_SCHEME, origin->scheme, sizeof(origin->scheme)) == 0)
        scheme = scheme_find(origin->scheme);
    if (!scheme)
        err_set(err, ERR_INPUT, "its scheme is not known; begin with http://, https:// or unix://");
    return scheme && parts_read(url, origin, scheme, err) == 0 ? scheme : NULL;
}

static int unix_parse(const char *path, struct origin *origin, struct err *err)
{
    size_t len = strlen(path);

    if (path[0] != '/' || len >= sizeof(origin->socket))
        return err_set(err, ERR_INPUT, "unix:// wants an absolute path of at most %d bytes", ORIGIN_SOCKET - 1);
    memcpy(origin->socket, path, len + 1);
    memcpy(origin->scheme, "http", sizeof("http"));
    memcpy(origin->host, "localhost", sizeof("localhost"));
    memcpy(origin->authority, "localhost", sizeof("localhost"));
    origin->port = 80;
    snprintf(origin->name, sizeof(origin->name), "unix://%s", path);
    return 0;
}

static int web_parse(const char *address, struct origin *origin, struct err *err)
{
    _cleanup_(url_cleanup) CURLU *url = curl_url();
    const struct scheme *scheme;

    if (!strstr(address, "://"))
        return err_set(err, ERR_INPUT, "its scheme is missing; begin with http://, https:// or unix://");
    scheme = url_read(url, address, origin, err);
    if (!scheme)
        return -1;
    if (!scheme->address)
        return err_set(err, ERR_INPUT, "\"%s\" is a scheme of proxies; begin with http://, https:// or unix://", scheme->name);
    if (part_given(url, CURLUPART_USER) || part_given(url, CURLUPART_PASSWORD))
        return err_set(err, ERR_INPUT, "it must not hold a user name or password");
    if (part_given(url, CURLUPART_QUERY) || part_given(url, CURLUPART_FRAGMENT))
        return err_set(err, ERR_INPUT, "it must end before \"?\" and \"#\"");
    return 0;
}

/* What is quoted in a message is cut before a password could begin. */
int origin_parse(const char *address, struct origin *ret, struct err *err)
{
    struct origin origin = {.scheme = ""};
    int shown = strchr(address, '@') ? 0 : (int)strcspn(address, "?#");
    int result = strncmp(address, "unix://", 7) == 0 ? unix_parse(address + 7, &origin, err) : web_parse(address, &origin, err);

    if (result < 0)
        return shown ? err_wrap(err, "address \"%.*s\"", shown > 200 ? 200 : shown, address) : err_wrap(err, "address");
    *ret = origin;
    return 0;
}

/* Go reads "proxy:3128" as "http://proxy:3128". */
int origin_parse_proxy(const char *text, struct origin *ret, struct err *err)
{
    _cleanup_(url_cleanup) CURLU *url = curl_url();
    _cleanup_buf_ struct buf full;
    struct origin origin = {.scheme = ""};
    const struct scheme *scheme;

    buf_init_secret(&full, LIMIT_URL_BYTES);
    buf_addf(&full, "%s%s", strstr(text, "://") ? "" : "http://", text);
    if (buf_check(&full, "proxy URL", err) != 0)
        return -1;
    scheme = url_read(url, full.data, &origin, err);
    if (!scheme)
        return err_wrap(err, "proxy");
    if (!scheme->proxy)
        return err_set(err, ERR_INPUT, "proxy: scheme \"%s\" is not one of a proxy", scheme->name);
    *ret = origin;
    return 0;
}
