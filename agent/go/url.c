#include "go/url.h"

#include <string.h>

#include "base/digit.h"
#include "base/limits.h"
#include "go/ip.h"
#include "go/quote.h"

/* Beside letters and digits, what stands for itself. */
static const char of_path[] = "$&+,-./:;=@_~", of_host[] = "!\"$&'()*+,-.:;<=>[]_~", of_user[] = "$&+,-.;=_~",
                  of_fragment[] = "!$&()*+,-./:;=?@_~";

struct reader {
    struct arena *arena;
    struct err *err;
    bool redact;
};

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static bool is_plain(char c, const char *set)
{
    return is_alnum(c) || (c != '\0' && strchr(set, c) != NULL);
}

static struct str part(struct str s, size_t at, size_t end)
{
    return (struct str){s.data + at, end - at};
}

/* Where the first byte `c` stands, or s.len. */
static size_t find(struct str s, char c)
{
    const char *found = s.len > 0 ? memchr(s.data, c, s.len) : NULL;

    return found ? (size_t)(found - s.data) : s.len;
}

/* Where the last one stands, or SIZE_MAX. */
static size_t find_last(struct str s, char c)
{
    const char *found = s.len > 0 ? memrchr(s.data, c, s.len) : NULL;

    return found ? (size_t)(found - s.data) : SIZE_MAX;
}

static int fail(const struct reader *reader, const char *what)
{
    return err_set(reader->err, ERR_INPUT, "%s", what);
}

static int fail_quoted(const struct reader *reader, const char *before, struct str s, const char *after)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_OUTPUT_BYTES);
    if (reader->redact)
        buf_adds(&text, "[redacted]");
    else
        quote_str(&text, s, false);
    return err_set(reader->err, ERR_INPUT, "%s%s%s", before, text.data, after);
}

/* ------------------------------------------------------------------------------------------------------- unescaping */

/* In a host, ASCII must not be escaped, but for the % of a zone; a zone may have escapes of what a host may have. */
static bool is_escape_allowed(struct str s, size_t i, const char *set, bool zone)
{
    int value = digit_percent(s.data + i, s.len - i);

    if (set != of_host || value == '%')
        return true;
    return zone ? value == ' ' || is_plain((char)value, of_host) : value >= 0x80;
}

static int check(const struct reader *reader, struct str s, const char *set, bool zone)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '%') {
            size_t end = i + 3 < s.len ? i + 3 : s.len;

            if (digit_percent(s.data + i, s.len - i) < 0 || !is_escape_allowed(s, i, set, zone))
                return fail_quoted(reader, "invalid URL escape ", part(s, i, end), "");
            i += 2;
        } else if (set == of_host && (unsigned char)s.data[i] < 0x80 && !is_plain(s.data[i], set)) {
            return fail_quoted(reader, "invalid character ", part(s, i, i + 1), " in host name");
        }
    }
    return 0;
}

static int unescape(const struct reader *reader, struct str s, const char *set, bool zone, struct str *ret)
{
    char *out;
    size_t n = 0;

    if (check(reader, s, set, zone) != 0)
        return -1;
    out = arena_alloc(reader->arena, s.len + 1, reader->err);
    if (!out)
        return -1;
    for (size_t i = 0; i < s.len; i++) {
        bool escaped = s.data[i] == '%';

        out[n++] = escaped ? (char)digit_percent(s.data + i, s.len - i) : s.data[i];
        i += escaped ? 2 : 0;
    }
    *ret = (struct str){out, n};
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- parsing */

static bool is_port(struct str s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    }
    return s.len == 0 || s.data[0] == ':';
}

/* [IPv6%25zone]:port */
static int parse_literal(const struct reader *reader, struct str host, struct str *ret)
{
    size_t close = find_last(host, ']');
    struct str inner, zone, port, name;
    struct ip ip;
    char *out;

    if (close == SIZE_MAX)
        return fail(reader, "missing ']' in host");
    port = part(host, close + 1, host.len);
    if (!is_port(port))
        return fail_quoted(reader, "invalid port ", port, " after host");
    inner = part(host, 1, close);
    zone = part(inner, inner.len, inner.len);
    for (size_t i = 0; i + 3 <= inner.len && zone.len == 0; i++) {
        if (memcmp(inner.data + i, "%25", 3) == 0)
            zone = part(inner, i, inner.len);
    }
    inner.len -= zone.len;
    if (unescape(reader, inner, of_host, false, &inner) != 0 || unescape(reader, zone, of_host, true, &zone) != 0)
        return -1;
    out = arena_alloc(reader->arena, host.len + 1, reader->err);
    if (!out)
        return -1;
    out[0] = '[';
    memcpy(out + 1, inner.data, inner.len);
    memcpy(out + 1 + inner.len, zone.data, zone.len);
    name = (struct str){out + 1, inner.len + zone.len};
    if (ip_parse(name, reader->redact, &ip, reader->err) != 0)
        return err_wrap(reader->err, "invalid host");
    if (ip.len == 4)
        return fail(reader, "invalid IP-literal");
    out[1 + name.len] = ']';
    memcpy(out + 2 + name.len, port.data, port.len);
    *ret = (struct str){out, name.len + 2 + port.len};
    return 0;
}

/* The last colon begins the port: databases have lists of hosts. Of http and https the first does, so that a second is an error.
 */
static int parse_host(const struct reader *reader, const struct url *url, struct str host, struct str *ret)
{
    bool web = str_eqs(url->scheme, "http") || str_eqs(url->scheme, "https");
    size_t bracket = find_last(host, '['), colon = find_last(host, ':');

    if (web && colon != SIZE_MAX)
        colon = find(host, ':');
    if (bracket == 0)
        return parse_literal(reader, host, ret);
    if (bracket != SIZE_MAX)
        return fail(reader, "invalid IP-literal");
    if (colon != SIZE_MAX && !is_port(part(host, colon, host.len)))
        return fail_quoted(reader, "invalid port ", part(host, colon, host.len), " after host");
    return unescape(reader, host, of_host, false, ret);
}

static bool is_user_valid(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_plain(s.data[i], "-._:~!$&'()*+,;=%@"))
            return false;
    }
    return true;
}

static int parse_user(const struct reader *reader, struct str s, struct url *url)
{
    size_t colon = find(s, ':');

    if (!is_user_valid(s))
        return fail(reader, "net/url: invalid userinfo");
    url->has_user = true;
    url->has_password = colon < s.len;
    if (unescape(reader, part(s, 0, colon), of_user, false, &url->user) != 0)
        return -1;
    return url->has_password ? unescape(reader, part(s, colon + 1, s.len), of_user, false, &url->password) : 0;
}

static int parse_authority(const struct reader *reader, struct str s, struct url *url)
{
    size_t at = find_last(s, '@');

    if (parse_host(reader, url, part(s, at == SIZE_MAX ? 0 : at + 1, s.len), &url->host) != 0)
        return -1;
    return at == SIZE_MAX ? 0 : parse_user(reader, part(s, 0, at), url);
}

/* Takes "scheme:" off the front; *rest stays as it is when there is none. */
static int parse_scheme(const struct reader *reader, struct str *rest, struct url *url)
{
    size_t i = 0;
    char *lower;

    while (i < rest->len && (is_alnum(rest->data[i]) || memchr("+-.", rest->data[i], 3)))
        i++;
    if (i == rest->len || rest->data[i] != ':')
        return 0;
    if (i == 0)
        return fail(reader, "missing protocol scheme");
    if ((rest->data[0] | 32) < 'a' || (rest->data[0] | 32) > 'z')
        return 0;
    lower = arena_strndup(reader->arena, rest->data, i, reader->err);
    if (!lower)
        return -1;
    for (size_t k = 0; k < i; k++)
        lower[k] += lower[k] >= 'A' && lower[k] <= 'Z' ? 32 : 0;
    url->scheme = (struct str){lower, i};
    *rest = part(*rest, i + 1, rest->len);
    return 0;
}

static int check_bytes(const struct reader *reader, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.data[i] < ' ' || s.data[i] == 0x7f)
            return fail(reader, "net/url: invalid control character in URL");
    }
    return 0;
}

/* All but the fragment. */
static int parse(const struct reader *reader, struct str rest, struct url *url)
{
    size_t query, slash;

    if (check_bytes(reader, rest) != 0 || parse_scheme(reader, &rest, url) != 0)
        return -1;
    query = find(rest, '?');
    url->query = part(rest, query + (query < rest.len), rest.len);
    rest.len = query;
    if (!str_has_prefix(rest, "/") && url->scheme.len > 0) {
        url->opaque = rest;
        return 0;
    }
    if (!str_has_prefix(rest, "/") && find(rest, ':') < find(rest, '/'))
        return fail(reader, "first path segment in URL cannot contain colon");
    if (str_has_prefix(rest, "//") && (url->scheme.len > 0 || !str_has_prefix(rest, "///"))) {
        rest = part(rest, 2, rest.len);
        slash = find(rest, '/');
        if (parse_authority(reader, part(rest, 0, slash), url) != 0)
            return -1;
        rest = part(rest, slash, rest.len);
    }
    return unescape(reader, rest, of_path, false, &url->path);
}

static int wrap(const struct reader *reader, struct str text)
{
    _cleanup_buf_ struct buf shown;
    struct err why = *reader->err;

    buf_init_clipped(&shown, LIMIT_OUTPUT_BYTES);
    if (reader->redact)
        buf_adds(&shown, "[redacted]");
    else
        quote_str(&shown, text, false);
    return err_set(reader->err, why.code, "parse %s: %s", shown.data, why.text);
}

int url_parse(struct str text, bool redact, struct arena *arena, struct url *ret, struct err *err)
{
    struct reader reader = {arena, err, redact};
    struct url url = {.host = STR("")};
    size_t hash = find(text, '#');

    if (parse(&reader, part(text, 0, hash), &url) != 0)
        return wrap(&reader, part(text, 0, hash));
    if (hash < text.len && unescape(&reader, part(text, hash + 1, text.len), of_fragment, false, &url.fragment) != 0)
        return wrap(&reader, text);
    *ret = url;
    return 0;
}

struct str url_hostname(const struct url *url)
{
    struct str host = url->host;
    size_t colon = find_last(host, ':');

    if (colon != SIZE_MAX && is_port(part(host, colon, host.len)))
        host.len = colon;
    if (host.len > 1 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        return part(host, 1, host.len - 1);
    return host;
}

/* --------------------------------------------------------------------------------------------------------- printing */

static void escape(struct buf *buf, struct str s, const char *set)
{
    for (size_t i = 0; i < s.len && !buf->full; i++) {
        if (is_plain(s.data[i], set))
            buf_addc(buf, s.data[i]);
        else
            buf_addf(buf, "%%%02X", (unsigned char)s.data[i]);
    }
}

void url_print_user(struct buf *buf, const struct url *url)
{
    escape(buf, url->user, of_user);
    if (url->has_password) {
        buf_addc(buf, ':');
        escape(buf, url->password, of_user);
    }
}

static void print_authority(struct buf *buf, const struct url *url)
{
    if (url->scheme.len == 0 && url->host.len == 0 && !url->has_user)
        return;
    if (url->host.len > 0 || url->path.len > 0 || url->has_user)
        buf_adds(buf, "//");
    if (url->has_user) {
        url_print_user(buf, url);
        buf_addc(buf, '@');
    }
    escape(buf, url->host, of_host);
}

/* A colon in the first segment must not look like that of a scheme. */
static void print_path(struct buf *buf, const struct url *url, bool first)
{
    if (url->path.len > 0 && url->path.data[0] != '/' && url->host.len > 0)
        buf_addc(buf, '/');
    else if (first && find(url->path, ':') < find(url->path, '/'))
        buf_adds(buf, "./");
    if (str_eqs(url->path, "*"))
        buf_addc(buf, '*');
    else
        escape(buf, url->path, of_path);
}

void url_print(struct buf *buf, const struct url *url)
{
    size_t begin = buf->len;

    buf_add(buf, url->scheme.data, url->scheme.len);
    buf_adds(buf, url->scheme.len > 0 ? ":" : "");
    if (url->opaque.len > 0) {
        buf_add(buf, url->opaque.data, url->opaque.len);
    } else {
        print_authority(buf, url);
        print_path(buf, url, buf->len == begin);
    }
    if (url->query.len > 0) {
        buf_addc(buf, '?');
        buf_add(buf, url->query.data, url->query.len);
    }
    if (url->fragment.len > 0) {
        buf_addc(buf, '#');
        escape(buf, url->fragment, of_fragment);
    }
}
