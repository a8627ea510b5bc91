#include "identity/xml.h"

#include <string.h>

#include "base/mem.h"

/* Behind "<name" or "</name" from `at` on; 0 when there is none. */
static size_t find_tag(struct str text, size_t at, const char *open, const char *name)
{
    size_t open_len = strlen(open), name_len = strlen(name), len = open_len + name_len;

    for (; at + len < text.len; at++) {
        const char *tag = text.data + at;

        if (memcmp(tag, open, open_len) == 0 && memcmp(tag + open_len, name, name_len) == 0 && strchr("> \t\r\n", tag[len]) &&
            tag[len])
            return at + len;
    }
    return 0;
}

bool xml_inside(struct str text, const char *name, struct str *ret)
{
    size_t start = find_tag(text, 0, "<", name), end;

    while (start && start < text.len && text.data[start] != '>')
        start++;
    if (!start || start >= text.len)
        return false;
    start++;
    end = find_tag(text, start, "</", name);
    if (!end)
        return false;
    *ret = (struct str){text.data + start, end - strlen("</") - strlen(name) - start};
    return true;
}

/* Append the character of "&…;" and return its length; 0 when it is none. */
static size_t add_entity(struct buf *ret, struct str text)
{
    static const struct {
        const char *name;
        char c;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

    for (size_t i = 0; i < ARRAY_LEN(entities); i++)
        if (str_has_prefix(text, entities[i].name)) {
            buf_addc(ret, entities[i].c);
            return strlen(entities[i].name);
        }
    return 0;
}

bool xml_text(struct str text, const char *name, struct buf *ret)
{
    struct str inside;
    size_t len;

    if (!xml_inside(text, name, &inside) || memchr(inside.data, '<', inside.len))
        return false;
    for (size_t at = 0; at < inside.len; at += len) {
        len = add_entity(ret, (struct str){inside.data + at, inside.len - at});
        if (len)
            continue;
        buf_addc(ret, inside.data[at]);
        len = 1;
    }
    return true;
}
