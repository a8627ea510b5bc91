#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#define CAP_FIRST 64

static char empty[1];

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.data = empty, .max = max};
}

void buf_init_secret(struct buf *buf, size_t max)
{
    *buf = (struct buf){.data = empty, .max = max, .secret = true};
}

static void wipe(struct buf *buf)
{
    if (buf->secret && buf->cap)
        mem_wipe(buf->data, buf->cap);
}

void buf_reset(struct buf *buf)
{
    wipe(buf);
    buf->len = 0;
    buf->full = false;
    if (buf->cap)
        buf->data[0] = '\0';
}

void buf_done(struct buf *buf)
{
    wipe(buf);
    if (buf->cap)
        mem_free(buf->data);
    *buf = (struct buf){.data = empty, .max = buf->max, .secret = buf->secret};
}

/* What was added is not what was wanted, so nothing of it may be used by mistake. */
static void overflow(struct buf *buf)
{
    buf_reset(buf);
    buf->full = true;
}

static size_t next_cap(const struct buf *buf, size_t need)
{
    size_t cap = buf->cap ? buf->cap : CAP_FIRST;

    while (cap < need)
        cap *= 2;
    return cap > buf->max + 1 ? buf->max + 1 : cap;
}

static void grow(struct buf *buf, size_t cap)
{
    char *data = mem_alloc(cap);

    memcpy(data, buf->data, buf->len);
    wipe(buf);
    if (buf->cap)
        mem_free(buf->data);
    buf->data = data;
    buf->cap = cap;
}

char *buf_room(struct buf *buf, size_t len)
{
    if (buf->full)
        return NULL;
    if (len > buf->max || buf->len > buf->max - len) {
        overflow(buf);
        return NULL;
    }
    if (buf->len + len + 1 > buf->cap)
        grow(buf, next_cap(buf, buf->len + len + 1));
    return buf->data + buf->len;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
    char *room;

    if (len == 0 || !(room = buf_room(buf, len)))
        return;
    memcpy(room, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_addc(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_adds(struct buf *buf, const char *s)
{
    buf_add(buf, s, strlen(s));
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
    va_list ap;
    char *room;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (len <= 0 || !(room = buf_room(buf, (size_t)len)))
        return;
    va_start(ap, fmt);
    vsnprintf(room, (size_t)len + 1, fmt, ap);
    va_end(ap);
    buf->len += (size_t)len;
}

void buf_add_rune(struct buf *buf, unsigned rune)
{
    if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF))
        rune = 0xFFFD;
    if (rune < 0x80) {
        buf_addc(buf, (char)rune);
    } else if (rune < 0x800) {
        buf_add(buf, (char[]){(char)(0xC0 | rune >> 6), (char)(0x80 | (rune & 0x3F))}, 2);
    } else if (rune < 0x10000) {
        buf_add(buf, (char[]){(char)(0xE0 | rune >> 12), (char)(0x80 | (rune >> 6 & 0x3F)), (char)(0x80 | (rune & 0x3F))}, 3);
    } else {
        buf_add(buf,
                (char[]){(char)(0xF0 | rune >> 18), (char)(0x80 | (rune >> 12 & 0x3F)), (char)(0x80 | (rune >> 6 & 0x3F)),
                         (char)(0x80 | (rune & 0x3F))},
                4);
    }
}

void buf_cut(struct buf *buf, size_t len)
{
    if (len >= buf->len)
        return;
    if (buf->secret)
        mem_wipe(buf->data + len, buf->len - len);
    buf->len = len;
    buf->data[len] = '\0';
}

int buf_check(const struct buf *buf, const char *what, struct err *err)
{
    return buf->full ? err_set(err, ERR_LIMIT, "%s: more than %zu bytes", what, buf->max) : 0;
}

char *buf_take(struct buf *buf)
{
    char *data = buf->cap ? buf->data : mem_alloc(1);

    *buf = (struct buf){.data = empty, .max = buf->max, .secret = buf->secret};
    return data;
}
