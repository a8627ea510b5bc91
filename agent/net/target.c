#include "net/target.h"

#include <string.h>
#include <strings.h>

#include "base/digit.h"

bool pairs_next(const struct pairs *pairs, struct pair *pair)
{
    if (pair->place == pairs->count)
        return false;
    pair->name = pair->place++ ? pair->value + strlen(pair->value) + 1 : pairs->text;
    pair->value = pair->name + strlen(pair->name) + 1;
    return true;
}

const char *pairs_find(const struct pairs *pairs, const char *name, bool any_case)
{
    struct pair pair = {0};

    while (pairs_next(pairs, &pair))
        if ((any_case ? strcasecmp(pair.name, name) : strcmp(pair.name, name)) == 0)
            return pair.value;
    return NULL;
}

/* `len` bytes without their escapes; what is none stays as it is. Returns where they end in `out`, which has room for all. */
static char *decode(char *out, const char *text, size_t len, bool plus)
{
    for (size_t i = 0; i < len; i++) {
        int byte = digit_percent(text + i, len - i);

        if (byte >= 0) {
            *out++ = (char)byte;
            i += 2;
        } else {
            *out++ = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

/* Behind scheme and host, where a target has them. */
static const char *behind_host(const char *target)
{
    const char *host = strstr(target, "://");

    if (*target == '/' || !host)
        return target;
    host += strlen("://");
    return host + strcspn(host, "/?");
}

char *target_path(const char *target)
{
    const char *path = behind_host(target);
    size_t len = strcspn(path, "?");
    char *decoded = mem_alloc(len + 2), *end;

    if (strchr(path, '#') || (len && *path != '/' && strcmp(path, "*") != 0)) {
        mem_free(decoded);
        return NULL;
    }
    end = decode(decoded, path, len, false);
    if (end == decoded)
        *end++ = '/';
    if (memchr(decoded, '\0', (size_t)(end - decoded))) {
        mem_free(decoded);
        return NULL;
    }
    return decoded;
}

/* A NUL that an escape hides ends its text early; the pair stays one. */
static char *add_part(char *out, const char *text, size_t len)
{
    char *end = decode(out, text, len, true), *nul = memchr(out, '\0', (size_t)(end - out));

    end = nul ? nul : end;
    *end = '\0';
    return end + 1;
}

void target_params(const char *target, struct pairs *ret)
{
    const char *query = strchr(target, '?'), *equals;
    size_t len = query ? strlen(++query) : 0, part;
    char *out = mem_alloc(2 * len + 2); /* "&" alone makes no pair, and one letter makes a name and an empty value */

    *ret = (struct pairs){.text = out};
    for (; query && *query; query += part + (query[part] == '&')) {
        part = strcspn(query, "&");
        if (!part)
            continue;
        equals = memchr(query, '=', part);
        out = add_part(out, query, equals ? (size_t)(equals - query) : part);
        out = add_part(out, equals ? equals + 1 : "", equals ? (size_t)(query + part - equals - 1) : 0);
        ret->count++;
    }
}
