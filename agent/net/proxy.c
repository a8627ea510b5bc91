#include "net/proxy.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cursor.h"
#include "base/mem.h"

#define WORD_MAX 512 /* longer words of NO_PROXY match nothing: names have 253 bytes */

/* IPv4 in its IPv6 form, so that "::ffff:10.0.0.1" and "10.0.0.1" are one address, as in Go. */
struct ip {
    unsigned char bytes[16];
    bool v4;
};

static bool ip_parse(const char *text, struct ip *ret)
{
    static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};

    if (inet_pton(AF_INET, text, ret->bytes + 12) == 1)
        memcpy(ret->bytes, mapped, sizeof(mapped));
    else if (inet_pton(AF_INET6, text, ret->bytes) != 1)
        return false;
    ret->v4 = memcmp(ret->bytes, mapped, sizeof(mapped)) == 0;
    return true;
}

static bool ip_is_loopback(const struct ip *ip)
{
    static const unsigned char one[16] = {[15] = 1};

    return ip->v4 ? ip->bytes[12] == 127 : memcmp(ip->bytes, one, sizeof(one)) == 0;
}

static bool bits_equal(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned rest = bits % 8;

    return memcmp(a, b, bits / 8) == 0 && (rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0);
}

/* --------------------------------------------------------------------------------------------- one word of NO_PROXY */

struct target {
    const char *host;
    unsigned port;
    struct ip ip;
    bool is_ip;
};

/* "10.0.0.0/8". True when the word is a block at all; *ret_match says whether the target lies in it. */
static bool word_is_block(const char *word, const struct target *target, bool *ret_match)
{
    const char *slash = strchr(word, '/');
    char address[INET6_ADDRSTRLEN];
    size_t len = slash ? (size_t)(slash - word) : sizeof(address);
    struct ip net;
    uint64_t bits;

    if (len >= sizeof(address))
        return false;
    memcpy(address, word, len);
    address[len] = '\0';
    if (!ip_parse(address, &net) || !cursor_whole_uint(slash + 1, 10, net.v4 ? 32 : 128, &bits))
        return false;
    *ret_match =
        target->is_ip && target->ip.v4 == net.v4 && bits_equal(net.bytes, target->ip.bytes, (unsigned)bits + (net.v4 ? 96 : 0));
    return true;
}

/* Cut ":port" off; an IPv6 address without brackets has no port. False when there is a port and it is another one. */
static bool port_matches(char *word, unsigned port)
{
    char *colon = strrchr(word, ':'), *bracket = strrchr(word, ']');
    uint64_t n;

    if (!colon || (bracket && colon < bracket) || (!bracket && strchr(word, ':') != colon))
        return true;
    *colon = '\0';
    return colon[1] == '\0' || (cursor_whole_uint(colon + 1, 10, UINT16_MAX, &n) && n == port);
}

static char *brackets_cut(char *word)
{
    size_t len = strlen(word);

    if (len < 2 || word[0] != '[' || word[len - 1] != ']')
        return word;
    word[len - 1] = '\0';
    return word + 1;
}

static bool domain_matches(const char *domain, const char *host)
{
    size_t host_len = strlen(host), len;

    if (strncmp(domain, "*.", 2) == 0)
        domain++;
    if (domain[0] != '.' && strcasecmp(domain, host) == 0)
        return true;
    len = strlen(domain);
    if (len == 0 || host_len <= len || strcasecmp(host + host_len - len, domain) != 0)
        return false;
    return domain[0] == '.' || host[host_len - len - 1] == '.';
}

static bool word_matches(char *word, const struct target *target)
{
    struct ip ip;
    bool match;

    if (strcmp(word, "*") == 0)
        return true;
    if (word_is_block(word, target, &match))
        return match;
    if (!port_matches(word, target->port))
        return false;
    word = brackets_cut(word);
    if (ip_parse(word, &ip))
        return target->is_ip && memcmp(ip.bytes, target->ip.bytes, sizeof(ip.bytes)) == 0;
    return domain_matches(word, target->host);
}

static bool is_exempt(const char *no, const struct target *target)
{
    struct cursor cur = cursor_of(no, strlen(no));
    char word[WORD_MAX];
    size_t len;

    while (!cursor_at_end(&cur)) {
        cursor_skip(&cur, " \t,");
        for (len = 0; !cursor_at_end(&cur) && *cur.p != ','; cur.p++)
            if (len < sizeof(word))
                word[len++] = *cur.p;
        while (len > 0 && (word[len - 1] == ' ' || word[len - 1] == '\t'))
            len--;
        if (len == 0 || len == sizeof(word))
            continue;
        word[len] = '\0';
        if (word_matches(word, target))
            return true;
    }
    return false;
}

/* ---------------------------------------------------------------------------------------------------------- answers */

const char *proxy_for(const struct proxy_env *env, bool https, const char *host, unsigned port)
{
    const char *proxy = https ? env->https : env->http;
    struct target target = {.host = host, .port = port};

    target.is_ip = ip_parse(host, &target.ip);
    if (!proxy || strcmp(host, "localhost") == 0 || (target.is_ip && ip_is_loopback(&target.ip)))
        return NULL;
    return env->no && is_exempt(env->no, &target) ? NULL : proxy;
}

static const char *env_any(const char *upper, const char *lower)
{
    const char *value = getenv(upper);

    if (!value || !*value)
        value = getenv(lower);
    return value && *value ? value : NULL;
}

/* A web server hands its clients' "Proxy:" header to CGI programs as HTTP_PROXY (CVE-2016-5386). */
struct proxy_env proxy_env_read(void)
{
    struct proxy_env env = {
        .http = env_any("HTTP_PROXY", "http_proxy"),
        .https = env_any("HTTPS_PROXY", "https_proxy"),
        .no = env_any("NO_PROXY", "no_proxy"),
    };

    if (env_any("REQUEST_METHOD", "REQUEST_METHOD"))
        env.http = NULL;
    return env;
}
