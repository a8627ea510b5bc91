#include "identity/profile.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct str trim(struct str s)
{
    while (s.len && is_blank(s.data[0]))
        s = (struct str){s.data + 1, s.len - 1};
    while (s.len && is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

/* The next line without its end; false behind the last. */
static bool next_line(struct str *text, struct str *ret)
{
    const char *end = text->len ? memchr(text->data, '\n', text->len) : NULL;

    if (!text->len)
        return false;
    *ret = (struct str){text->data, end ? (size_t)(end - text->data) : text->len};
    *text = (struct str){text->data + ret->len + (end != NULL), text->len - ret->len - (end != NULL)};
    return true;
}

/* Whether "[…]" is that section; several blanks between its words are as good as one. */
static bool is_section(struct str line, const char *prefix, const char *name)
{
    const char *end = memchr(line.data, ']', line.len);
    size_t len = strlen(prefix);
    struct str inside;

    if (!end)
        return false;
    inside = trim((struct str){line.data + 1, (size_t)(end - line.data) - 1});
    if (len) {
        if (!str_has_prefix(inside, prefix) || inside.len == len || !is_blank(inside.data[len]))
            return false;
        inside = trim((struct str){inside.data + len, inside.len - len});
    }
    return str_eqs(inside, name);
}

static bool is_comment(struct str line)
{
    return line.len == 0 || line.data[0] == '#' || line.data[0] == ';' || is_blank(line.data[0]);
}

/* Keys match in any case, as in AWS's own tools. */
static bool is_key(struct str line, const char *key, struct str *ret)
{
    const char *sign = memchr(line.data, '=', line.len);
    size_t len = sign ? (size_t)(sign - line.data) : 0;
    struct str name = trim((struct str){line.data, len});

    if (!sign || name.len != strlen(key) || strncasecmp(name.data, key, name.len) != 0)
        return false;
    *ret = trim((struct str){sign + 1, line.len - len - 1});
    return true;
}

bool profile_has(struct str text, const char *prefix, const char *name)
{
    struct str line;

    while (next_line(&text, &line))
        if (line.len && line.data[0] == '[' && is_section(line, prefix, name))
            return true;
    return false;
}

bool profile_get(struct str text, const char *prefix, const char *name, const char *key, struct str *ret)
{
    struct str line, found = {0};
    bool inside = false;

    while (next_line(&text, &line)) {
        if (is_comment(line))
            continue;
        if (line.data[0] == '[')
            inside = is_section(line, prefix, name);
        else if (inside)
            is_key(line, key, &found);
    }
    if (!found.len)
        return false;
    *ret = found;
    return true;
}
