#include "go/pathname.h"

#include <string.h>

struct str pathname_head(struct str path)
{
    while (path.len > 0 && path.data[path.len - 1] != '/')
        path.len--;
    return path;
}

struct str pathname_base(struct str path)
{
    struct str head;

    if (path.len == 0)
        return STR(".");
    while (path.len > 0 && path.data[path.len - 1] == '/')
        path.len--;
    if (path.len == 0)
        return STR("/");
    head = pathname_head(path);
    return (struct str){path.data + head.len, path.len - head.len};
}

struct str pathname_ext(struct str path)
{
    for (size_t i = path.len; i > 0 && path.data[i - 1] != '/'; i--) {
        if (path.data[i - 1] == '.')
            return (struct str){path.data + i - 1, path.len - i + 1};
    }
    return STR("");
}

/* The last element and its slash go, down to `floor`; false when there is none to take away. */
static bool drop_last(struct buf *buf, size_t floor)
{
    size_t len = buf->len;

    if (len <= floor)
        return false;
    while (len > floor && buf->data[len - 1] != '/')
        len--;
    buf_cut(buf, len > floor ? len - 1 : floor);
    return true;
}

void pathname_clean(struct buf *buf, struct str path)
{
    bool rooted = path.len > 0 && path.data[0] == '/';
    size_t begin = buf->len, floor = begin + rooted; /* what cannot be taken back by ".." ends at the floor */

    buf_adds(buf, rooted ? "/" : "");
    for (size_t at = 0, end; at < path.len && !buf->full; at = end + 1) {
        const char *slash = memchr(path.data + at, '/', path.len - at);
        struct str element = {path.data + at, (slash ? (size_t)(slash - path.data) : path.len) - at};
        bool up = str_eqs(element, "..");

        end = at + element.len;
        if (element.len == 0 || str_eqs(element, ".") || (up && (drop_last(buf, floor) || rooted)))
            continue;
        if (buf->len > begin + rooted)
            buf_addc(buf, '/');
        buf_add(buf, element.data, element.len);
        if (up)
            floor = buf->len;
    }
    if (buf->len == begin)
        buf_addc(buf, '.');
}
