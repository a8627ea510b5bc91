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
static struct str skip_headers(struct str body)
{
    size_t len;

    while ((len = line_len(body)) > 0 && memchr(body.data, ':', len))
        body = behind(body, len);
    return body;
}

/* The block whose BEGIN line stands at the front of `text`. */
static bool read_block(struct str text, struct str *ret_label, struct buf *bytes)
{
    size_t line = line_len(text), before = bytes->len, end;
    struct str body, label, tail;
    struct err ignored;

    if (!read_label((struct str){text.data, line}, &label))
        return false;
    body = behind(text, line);
    end = find(body, "-----END ");
    if (end == body.len || (end > 0 && body.data[end - 1] != '\n'))
        return false;
    tail = behind(body, end + strlen("-----END "));
    if (tail.len < label.len || memcmp(tail.data, label.data, label.len) != 0 || !str_has_prefix(behind(tail, label.len), "-----"))
        return false;
    body = skip_headers((struct str){body.data, end});
    if (base64_decode(body.data, body.len, bytes, &ignored) != 0) {
        buf_cut(bytes, before);
        return false;
    }
    *ret_label = label;
    return true;
}

bool pem_first(struct str text, struct str *ret_label, struct buf *bytes)
{
    while (text.len > 0) {
        if (str_has_prefix(text, "-----BEGIN ") && read_block(text, ret_label, bytes))
            return !bytes->full;
        text = behind(text, line_len(text));
    }
    return false;
}

void pem_add(struct buf *buf, const char *label, const void *data, size_t len)
{
    _cleanup_buf_ struct buf text;

    buf_init_secret(&text, len / 3 * 4 + 8);
    base64_encode(data, len, &text);
    buf_addf(buf, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; at < text.len; at += LINE) {
        buf_add(buf, text.data + at, text.len - at < LINE ? text.len - at : LINE);
        buf_addc(buf, '\n');
    }
    buf_addf(buf, "-----END %s-----\n", label);
}
