#include "tls/hostname.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static bool is_inner(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Takes the first label off. */
static struct str label_next(struct str *rest)
{
    const char *dot = rest->len ? memchr(rest->data, '.', rest->len) : NULL;
    struct str label = {rest->data, dot ? (size_t)(dot - rest->data) : rest->len};

    *rest = dot ? (struct str){dot + 1, rest->len - label.len - 1} : (struct str){rest->data + rest->len, 0};
    return label;
}

static bool is_star(struct str label)
{
    return label.len == 1 && label.data[0] == '*';
}

static bool is_label(struct str label)
{
    for (size_t i = 0; i < label.len; i++)
        if (!is_inner(label.data[i]) && (label.data[i] != '-' || i == 0))
            return false;
    return label.len > 0;
}

static bool is_hostname(struct str name, bool wildcard)
{
    struct str rest = name, label;

    if (name.len == 0 || name.data[name.len - 1] == '.' || is_star(name))
        return false;
    for (bool first = true; rest.len > 0; first = false) {
        label = label_next(&rest);
        if (!is_label(label) && !(wildcard && first && is_star(label)))
            return false;
    }
    return true;
}

static bool is_same(struct str a, struct str b)
{
    return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0 && !memchr(a.data, '\0', a.len);
}

static bool labels_match(struct str pattern, struct str host)
{
    struct str label, other;

    for (bool first = true; pattern.len > 0 && host.len > 0; first = false) {
        label = label_next(&pattern);
        other = label_next(&host);
        if (!(first && is_star(label)) && !is_same(label, other))
            return false;
    }
    return pattern.len == 0 && host.len == 0;
}

bool hostname_matches(struct str pattern, struct str host)
{
    struct str whole = host;

    if (whole.len > 0 && whole.data[whole.len - 1] == '.')
        whole.len--;
    if (is_hostname(whole, false) && is_hostname(pattern, true))
        return labels_match(pattern, whole);
    return host.len > 0 && !(host.len == 1 && host.data[0] == '.') && is_same(pattern, host);
}

bool hostname_address(struct str host, unsigned char ret[HOSTNAME_ADDRESS])
{
    static const unsigned char mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    char text[INET6_ADDRSTRLEN];

    if (host.len >= 3 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        host = (struct str){host.data + 1, host.len - 2};
    if (host.len >= sizeof(text))
        return false;
    memcpy(text, host.data, host.len);
    text[host.len] = '\0';
    if (strlen(text) != host.len)
        return false;
    if (inet_pton(AF_INET6, text, ret) == 1)
        return true;
    memcpy(ret, mapped, sizeof(mapped));
    return inet_pton(AF_INET, text, ret + sizeof(mapped)) == 1;
}
