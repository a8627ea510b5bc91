#include "net/resolv.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/cursor.h"
#include "base/mem.h"

#define NDOTS_MAX 15 /* as glibc: RES_MAXNDOTS */

void addresses_add(struct addresses *list, const char *text)
{
    size_t len = strlen(text);

    if (list->count < RESOLV_ADDRESSES && len < INET6_ADDRSTRLEN)
        memcpy(list->text[list->count++], text, len + 1);
}

bool address_is_literal(const char *text)
{
    unsigned char parsed[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, parsed) == 1 || inet_pton(AF_INET6, text, parsed) == 1;
}

/* -------------------------------------------------------------------------------------------------- lines and words */

static bool line_next(struct cursor *text, struct cursor *ret)
{
    const char *end;

    if (cursor_at_end(text))
        return false;
    end = memchr(text->p, '\n', (size_t)(text->end - text->p));
    *ret = (struct cursor){text->p, end ? end : text->end};
    text->p = end ? end + 1 : text->end;
    return true;
}

/* The next word of a line, cut to what fits; comments end the line. */
static bool word_next(struct cursor *line, char *ret, size_t size)
{
    size_t len = 0;

    cursor_skip(line, " \t\r");
    if (cursor_at_end(line) || *line->p == '#' || *line->p == ';')
        return false;
    for (; !cursor_at_end(line) && !strchr(" \t\r#", *line->p); line->p++)
        if (len + 1 < size)
            ret[len++] = *line->p;
    ret[len] = '\0';
    return true;
}

static void dots_cut(char *name)
{
    size_t len = strlen(name);

    while (len > 0 && name[len - 1] == '.')
        name[--len] = '\0';
}

/* --------------------------------------------------------------------------------------------------- resolv.conf(5) */

static void on_nameserver(struct resolv *resolv, struct cursor *line)
{
    if (resolv->server_count < RESOLV_SERVERS &&
        word_next(line, resolv->servers[resolv->server_count], sizeof(resolv->servers[0])))
        resolv->server_count++;
}

/* The last search or domain line counts. */
static void on_search(struct resolv *resolv, struct cursor *line)
{
    resolv->search_count = 0;
    while (resolv->search_count < RESOLV_SEARCH && word_next(line, resolv->search[resolv->search_count], RESOLV_NAME))
        dots_cut(resolv->search[resolv->search_count++]);
}

static void on_domain(struct resolv *resolv, struct cursor *line)
{
    on_search(resolv, line);
    if (resolv->search_count > 1)
        resolv->search_count = 1;
}

static void on_options(struct resolv *resolv, struct cursor *line)
{
    char word[32];
    uint64_t n;

    while (word_next(line, word, sizeof(word)))
        if (strncmp(word, "ndots:", 6) == 0 && cursor_whole_uint(word + 6, 10, UINT32_MAX, &n))
            resolv->ndots = n > NDOTS_MAX ? NDOTS_MAX : (unsigned)n;
}

static const struct {
    const char *word;
    void (*on_line)(struct resolv *resolv, struct cursor *line);
} keywords[] = {
    {"nameserver", on_nameserver},
    {"search", on_search},
    {"domain", on_domain},
    {"options", on_options},
};

void resolv_parse(struct resolv *resolv, const char *text, size_t len)
{
    struct cursor all = cursor_of(text, len), line;
    char word[16];

    *resolv = (struct resolv){.ndots = 1};
    while (line_next(&all, &line)) {
        if (!word_next(&line, word, sizeof(word)))
            continue;
        for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
            if (strcmp(word, keywords[i].word) == 0)
                keywords[i].on_line(resolv, &line);
    }
    if (resolv->server_count == 0)
        memcpy(resolv->servers[resolv->server_count++], "127.0.0.1", sizeof("127.0.0.1"));
}

/* ------------------------------------------------------------------------------------------------------------ names */

static unsigned dots_in(const char *name)
{
    unsigned n = 0;

    for (; *name; name++)
        n += *name == '.';
    return n;
}

/* NAME.DOMAIN, or NAME alone for the root domain. */
static void join(const char *name, const char *domain, char ret[RESOLV_NAME])
{
    size_t name_len = strlen(name), domain_len = strlen(domain), len = name_len + (domain_len ? 1 + domain_len : 0);

    ret[0] = '\0';
    if (len > RESOLV_NAME - 3)
        return;
    memcpy(ret, name, name_len + 1);
    if (domain_len) {
        ret[name_len] = '.';
        memcpy(ret + name_len + 1, domain, domain_len + 1);
    }
}

bool resolv_candidate(const struct resolv *resolv, const char *name, size_t i, char ret[RESOLV_NAME])
{
    size_t len = strlen(name);
    bool final = len > 0 && name[len - 1] == '.';
    bool first = final || dots_in(name) >= resolv->ndots;

    if (i > (final ? 0 : resolv->search_count))
        return false;
    if (i == (first ? 0 : resolv->search_count)) {
        join(name, "", ret);
        dots_cut(ret);
    } else {
        join(name, resolv->search[first ? i - 1 : i], ret);
    }
    return true;
}

void hosts_find(const char *text, size_t len, const char *name, struct addresses *ret)
{
    struct cursor all = cursor_of(text, len), line;
    char address[INET6_ADDRSTRLEN], alias[RESOLV_NAME], wanted[RESOLV_NAME];

    join(name, "", wanted);
    dots_cut(wanted);
    while (line_next(&all, &line)) {
        if (!word_next(&line, address, sizeof(address)) || !address_is_literal(address))
            continue;
        while (word_next(&line, alias, sizeof(alias))) {
            dots_cut(alias);
            if (wanted[0] && strcasecmp(alias, wanted) == 0) {
                addresses_add(ret, address);
                break;
            }
        }
    }
}
