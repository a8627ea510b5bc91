#include "base/pem.h"

#include <string.h>

#include "base/base64.h"

#define LINE 64

static struct str behind(struct str s, size_t n)
{
    return (struct str){s.data + n, s.len - n};
}

/* Where `needle` stands in `s`, or s.len. */
static size_t find(struct str s, const char *needle)
{
    const char *found = s.len > 0 ? memmem(s.data, s.len, needle, strlen(needle)) : NULL;

    return found ? (size_t)(found - s.data) : s.len;
}

static size_t line_len(struct str s)
{
    size_t end = find(s, "\n");

    return end < s.len ? end + 1 : end;
}

static bool is_blank(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!memchr(" \t\r\n", s.data[i], 4))
            return false;
    }
    return true;
}

/* The label of a line "-----BEGIN LABEL-----". */
static bool read_label(struct str line, struct str *ret)
{
    size_t end;

    line = behind(line, strlen("-----BEGIN "));
    end = find(line, "-----");
    if (end == line.len || !is_blank(behind(line, end + strlen("-----"))))
        return false;
    *ret = (struct str){line.data, end};
    return true;
}

/* "Proc-Type: 4,ENCRYPTED" and its like. */
static struct str headers_of(struct str body)
{
    struct str rest = body;
    size_t len;

    while ((len = line_len(rest)) > 0 && memchr(rest.data, ':', len))
        rest = behind(rest, len);
    return (struct str){body.data, body.len - rest.len};
}

/* The block whose BEGIN line stands at the front of `text`; its length, 0 when it is not whole. */
static size_t read_block(struct str text, struct pem *block, struct buf *bytes)
{
    size_t line = line_len(text), before = bytes->len, end;
    struct str body, tail;
    struct err ignored;

    if (!read_label((struct str){text.data, line}, &block->label))
        return 0;
    body = behind(text, line);
    end = find(body, "-----END ");
    if (end == body.len || (end > 0 && body.data[end - 1] != '\n'))
        return 0;
    tail = behind(body, end + strlen("-----END "));
    if (tail.len < block->label.len || memcmp(tail.data, block->label.data, block->label.len) != 0 ||
        !str_has_prefix(behind(tail, block->label.len), "-----"))
        return 0;
    block->headers = headers_of((struct str){body.data, end});
    body = behind((struct str){body.data, end}, block->headers.len);
    if (base64_decode(body.data, body.len, bytes, &ignored) != 0 && !buf_overflowed(bytes)) {
        buf_cut(bytes, before);
        return 0;
    }
    return (size_t)(tail.data - text.data) + line_len(tail);
}

static void lines_skip(struct str *rest, size_t *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        *line += rest->data[i] == '\n';
    *rest = behind(*rest, len);
}

bool pem_next(struct str *rest, size_t *line, struct pem *ret, struct buf *bytes)
{
    size_t len;

    for (; rest->len > 0; lines_skip(rest, line, line_len(*rest))) {
        if (!str_has_prefix(*rest, "-----BEGIN "))
            continue;
        *ret = (struct pem){.line = *line};
        len = read_block(*rest, ret, bytes);
        ret->whole = len > 0;
        lines_skip(rest, line, len > 0 ? len : line_len(*rest));
        return true;
    }
    return false;
}

bool pem_first(struct str text, struct str *ret_label, struct buf *bytes)
{
    struct pem block;
    size_t line = 1;

    while (pem_next(&text, &line, &block, bytes)) {
        *ret_label = block.label;
        if (block.whole)
            return !buf_overflowed(bytes);
    }
    return false;
}

void pem_add(struct buf *buf, const char *label, const void *data, size_t len)
{
    _cleanup_buf_ struct buf text;

    buf_init_exact(&text, len / 3 * 4 + 8);
    base64_encode(data, len, &text);
    buf_addf(buf, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; at < text.len; at += LINE) {
        buf_add(buf, text.data + at, text.len - at < LINE ? text.len - at : LINE);
        buf_addc(buf, '\n');
    }
    buf_addf(buf, "-----END %s-----\n", label);
}
