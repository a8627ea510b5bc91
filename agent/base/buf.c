#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#define CAP_FIRST 64
#define CAP_LARGE 16384 /* smaller ones grow faster: each growth is a copy and a wipe */

static char empty[1];

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.data = empty, .max = max};
}

void buf_init_secret(struct buf *buf, size_t max)
{
    *buf = (struct buf){.data = empty, .max = max, .secret = true};
}

void buf_init_secret_in(struct buf *buf, size_t max, char *memory, size_t size)
{
    *buf = (struct buf){.data = memory, .cap = size, .max = max, .secret = true, .borrowed = true};
    memory[0] = '\0';
}

static void wipe(struct buf *buf)
{
    if (buf->secret && buf->cap)
        mem_wipe(buf->data, buf->cap);
}

static void release(struct buf *buf)
{
    wipe(buf);
    if (buf->cap && !buf->borrowed)
        mem_free(buf->data);
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
    release(buf);
    *buf = (struct buf){.data = empty, .max = buf->max, .secret = buf->secret};
}

/* What was added is not what was wanted, so nothing of it may be used by mistake. Without memory nothing more is added either. */
static void overflow(struct buf *buf)
{
    buf_done(buf);
    buf->full = true;
}

static size_t next_cap(const struct buf *buf, size_t need)
{
    size_t cap = buf->cap ? buf->cap : CAP_FIRST;

    while (cap < need)
        cap *= cap < CAP_LARGE ? 4 : 2;
    return cap > buf->max + 1 ? buf->max + 1 : cap;
}

static void grow(struct buf *buf, size_t cap)
{
    char *data = mem_alloc(cap);

    memcpy(data, buf->data, buf->len);
    release(buf);
    buf->data = data;
    buf->cap = cap;
    buf->borrowed = false;
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

/* Most pieces are short: two copies of a fixed size that overlap cost less than a call. */
static inline void copy_bytes(char *to, const char *from, size_t len)
{
    if (len > 16) {
        memcpy(to, from, len);
    } else if (len >= 8) {
        char head[8], tail[8];

        memcpy(head, from, 8);
        memcpy(tail, from + len - 8, 8);
        memcpy(to, head, 8);
        memcpy(to + len - 8, tail, 8);
    } else if (len >= 4) {
        char head[4], tail[4];

        memcpy(head, from, 4);
        memcpy(tail, from + len - 4, 4);
        memcpy(to, head, 4);
        memcpy(to + len - 4, tail, 4);
    } else if (len > 0) {
        to[0] = from[0];
        to[len / 2] = from[len / 2];
        to[len - 1] = from[len - 1];
    }
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
    if (len >= buf->cap - buf->len && (len == 0 || !buf_room(buf, len)))
        return;
    copy_bytes(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_addc(struct buf *buf, char c)
{
    if (buf->cap - buf->len < 2 && !buf_room(buf, 1))
        return;
    buf->data[buf->len++] = c;
    buf->data[buf->len] = '\0';
}

void buf_add_uint(struct buf *buf, uint64_t u)
{
    char text[20], *end = text + sizeof(text), *p = end;

    do
        *--p = (char)('0' + u % 10);
    while (u /= 10);
    buf_add(buf, p, (size_t)(end - p));
}

void buf_add_int(struct buf *buf, int64_t i)
{
    if (i < 0)
        buf_addc(buf, '-');
    buf_add_uint(buf, i < 0 ? -(uint64_t)i : (uint64_t)i);
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
    if (rune < 0x80) {
        buf_addc(buf, (char)rune);
        return;
    }
    if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF))
        rune = 0xFFFD;
    if (rune < 0x800) {
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
    char *data = !buf->cap ? mem_alloc(1) : buf->borrowed ? mem_strndup(buf->data, buf->len) : buf->data;

    if (buf->borrowed)
        release(buf);
    *buf = (struct buf){.data = empty, .max = buf->max, .secret = buf->secret};
    return data;
}
