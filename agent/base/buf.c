#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

void buf_init_clipped(struct buf *buf, size_t max)
{
    *buf = (struct buf){.data = empty, .max = max, .secret = true, .clips = true};
}

void buf_init_exact(struct buf *buf, size_t max)
{
    *buf = (struct buf){.data = empty, .max = max, .secret = true, .exact = true};
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

static _Noreturn void die(const struct buf *buf, const char *why)
{
    fprintf(stderr, "buffer of %zu bytes: %s\n", buf->max, why);
    abort();
}

/* Whoever lets go of it has seen that it is full, or goes on with nothing in place of something. */
static void let_go(const struct buf *buf)
{
#ifdef AMPULE_STRICT
    if (buf->full && !buf->asked && !buf->clips)
        die(buf, "overflowed, and nobody asked");
#else
    (void)buf;
#endif
}

static void forget(struct buf *buf)
{
    release(buf);
    *buf = (struct buf){.data = empty, .max = buf->max, .secret = buf->secret, .clips = buf->clips, .exact = buf->exact};
}

void buf_reset(struct buf *buf)
{
    let_go(buf);
    wipe(buf);
    buf->len = 0;
    buf->full = buf->asked = false;
    if (buf->cap)
        buf->data[0] = '\0';
}

void buf_done(struct buf *buf)
{
    let_go(buf);
    forget(buf);
}

/* What was added is not what was wanted, so nothing of it may be used by mistake. Without memory nothing more is added either. */
static void overflow(struct buf *buf)
{
    if (buf->exact)
        die(buf, "more was added than was reckoned with");
    forget(buf);
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

/* Up to the end, which then says that something is missing; not within a code point. */
static void clip(struct buf *buf, const char *data, size_t len)
{
    size_t room = buf->max - buf->len, at = buf->max > 3 ? buf->max - 3 : 0;
    char *whole;

    if (len == 0 || buf->full)
        return;
    if (len <= room)
        room = len;
    whole = buf_room(buf, room);
    memcpy(whole, data, room);
    buf->len += room;
    buf->data[buf->len] = '\0';
    if (room == len)
        return;
    buf->full = true; /* whoever prints something large may stop */
    while (at > 0 && ((unsigned char)buf->data[at] & 0xC0) == 0x80)
        at--;
    memcpy(buf->data + at, "...", buf->max - at < 3 ? buf->max - at : 3);
    memset(buf->data + at + 3, '.', buf->max > at + 3 ? buf->max - at - 3 : 0);
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
    if (len >= buf->cap - buf->len && buf->clips) {
        clip(buf, data, len);
        return;
    }
    if (len >= buf->cap - buf->len && (len == 0 || !buf_room(buf, len)))
        return;
    copy_bytes(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_addc(struct buf *buf, char c)
{
    if (buf->cap - buf->len < 2 && buf->clips) {
        clip(buf, &c, 1);
        return;
    }
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

/* A byte more than fits shows that something is missing. */
static void clip_printed(struct buf *buf, const char *fmt, va_list ap)
{
    size_t size = buf->max - buf->len + 2;
    char *text = mem_alloc(size);

    vsnprintf(text, size, fmt, ap);
    clip(buf, text, strlen(text));
    mem_free(text);
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
    va_list ap;
    char *room;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (len > 0 && buf->clips && (size_t)len > buf->max - buf->len) {
        va_start(ap, fmt);
        clip_printed(buf, fmt, ap);
        va_end(ap);
        return;
    }
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

bool buf_overflowed(const struct buf *buf)
{
    ((struct buf *)buf)->asked |= buf->full;
    return buf->full && !buf->clips;
}

bool buf_spread(struct buf *whole, const struct buf *part)
{
    if (!buf_overflowed(part))
        return false;
    if (!whole->clips)
        overflow(whole);
    return true;
}

int buf_check(const struct buf *buf, const char *what, struct err *err)
{
    return buf_overflowed(buf) ? err_set(err, ERR_LIMIT, "%s: more than %zu bytes", what, buf->max) : 0;
}

char *buf_take(struct buf *buf)
{
    char *data;

    let_go(buf);
    data = !buf->cap ? mem_alloc(1) : buf->borrowed ? mem_strndup(buf->data, buf->len) : buf->data;

    if (buf->borrowed)
        release(buf);
    *buf = (struct buf){.data = empty, .max = buf->max, .secret = buf->secret, .clips = buf->clips, .exact = buf->exact};
    return data;
}
