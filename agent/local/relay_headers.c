#include "local/relay_headers.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const char *const of_a_connection[] = {
    "Connection", "Content-Length",    "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE",
    "Trailer",    "Transfer-Encoding", "Upgrade",
};
static const char *const of_a_request[] = {"Accept-Encoding",   "Expect",          "Host",         "User-Agent",
                                           "X-Vault-Namespace", "X-Vault-Request", "X-Vault-Token"};

static bool is_listed(const char *const *list, size_t count, const char *name)
{
    size_t i = 0;

    while (i < count && strcasecmp(list[i], name) != 0)
        i++;
    return i < count;
}

/* Whether "close, X-Mine" names it. */
static bool is_named(const char *connection, const char *name)
{
    size_t len = strlen(name);

    while (*connection) {
        connection += strspn(connection, ", \t");
        if (strncasecmp(connection, name, len) == 0 && strcspn(connection, ", \t") == len)
            return true;
        connection += strcspn(connection, ",");
    }
    return false;
}

/* All of a message; which of them go on needs a look at the others. */
static bool goes_on(const struct http_header *headers, size_t count, const char *name)
{
    if (is_listed(of_a_connection, ARRAY_LEN(of_a_connection), name))
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(headers[i].name, "Connection") == 0 && is_named(headers[i].value, name))
            return false;
    return true;
}

static void add(struct relay_headers *headers, const char *name, const char *value)
{
    if (value && *value)
        headers->items[headers->count++] = (struct http_header){name, value};
}

static char *join(const char *a, const char *between, const char *b)
{
    size_t size = strlen(a) + strlen(between) + strlen(b) + 1;
    char *text = mem_alloc(size);

    snprintf(text, size, "%s%s%s", a, between, b);
    return text;
}

/* The client's word behind ours, as the originals have it. */
static void add_agent(struct relay_headers *ret, const char *ours, const char *theirs)
{
    ret->agent = theirs ? join(ours, "; ", theirs) : mem_strdup(ours);
    add(ret, "User-Agent", ret->agent);
}

static void add_namespace(struct relay_headers *ret, const char *before, const char *theirs)
{
    while (theirs && *theirs == '/')
        theirs++;
    ret->namespace = join(before ? before : "", "", theirs ? theirs : "");
    add(ret, "X-Vault-Namespace", ret->namespace);
}

void relay_headers_request(const struct pairs *headers, const struct relay_own *own, struct relay_headers *ret)
{
    _cleanup_free_ struct http_header *all = mem_array(headers->count, sizeof(*all));
    struct pair pair = {0};
    size_t count = 0;

    while (pairs_next(headers, &pair))
        all[count++] = (struct http_header){pair.name, pair.value};
    *ret = (struct relay_headers){.items = mem_array(count + 4, sizeof(*ret->items))};
    for (size_t i = 0; i < count; i++)
        if (goes_on(all, count, all[i].name) && !is_listed(of_a_request, ARRAY_LEN(of_a_request), all[i].name))
            add(ret, all[i].name, all[i].value);
    add_agent(ret, own->user_agent, pairs_find(headers, "User-Agent", true));
    add_namespace(ret, own->namespace, pairs_find(headers, "X-Vault-Namespace", true));
    add(ret, "X-Vault-Request", "true");
    add(ret, "X-Vault-Token", own->token);
}

const char *relay_headers_find(const struct http_header *items, size_t count, const char *name)
{
    size_t i = 0;

    while (i < count && strcasecmp(items[i].name, name) != 0)
        i++;
    return i < count ? items[i].value : NULL;
}

void relay_headers_answer(const struct http_head *head, struct relay_headers *ret)
{
    *ret = (struct relay_headers){.items = mem_array(head->header_count, sizeof(*ret->items))};
    for (size_t i = 0; i < head->header_count; i++)
        if (goes_on(head->headers, head->header_count, head->headers[i].name))
            add(ret, head->headers[i].name, head->headers[i].value);
}

void relay_headers_done(struct relay_headers *headers)
{
    mem_free(headers->items);
    mem_free(headers->agent);
    mem_free(headers->namespace);
    *headers = (struct relay_headers){0};
}
