#include "base/pem.h"

#include <string.h>

#include "base/base64.h"

#define LINE   64
#define BEGIN  "-----BEGIN "
#define END    "\n-----END "
#define DASHES "-----"

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

static struct str front(struct str s, size_t len)
{
    return (struct str){s.data, len};
}

/* The first line as Go sees it: without its end, which may be CR LF, and without blanks before it. */
static struct str line_of(struct str s)
{
    size_t len = line_len(s);

    if (len > 0 && s.data[len - 1] == '\n') {
        len--;
        len -= len > 0 && s.data[len - 1] == '\r';
    }
    while (len > 0 && (s.data[len - 1] == ' ' || s.data[len - 1] == '\t'))
        len--;
    return front(s, len);
}

/* Where a block may begin: at a line's start. Go's search goes on right behind an END that ended nothing, so there as well. */
static bool is_begin(struct str s, size_t at)
{
    return at == 0 || s.data[at - 1] == '\n' || (at >= strlen(END) && memcmp(s.data + at - strlen(END), END, strlen(END)) == 0);
}

static size_t begin_find(struct str s)
{
    size_t at = find(s, BEGIN);

    while (at < s.len && !is_begin(s, at))
        at += strlen(BEGIN) + find(behind(s, at + strlen(BEGIN)), BEGIN);
    return at;
}

/* Lines with a colon: "Proc-Type: 4,ENCRYPTED" and its like. */
static struct str headers_of(struct str body)
{
    struct str rest = body;
    size_t len;

    while ((len = line_len(rest)) > 0 && memchr(rest.data, ':', len))
        rest = behind(rest, len);
    return front(body, body.len - rest.len);
}

static bool is_padded(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += !memchr(" \t\r\n", text.data[i], 4);
    return count % 4 == 0;
}

static bool body_read(struct str text, struct buf *bytes)
{
    size_t before = bytes->len;
    struct err ignored;

    if (!is_padded(text))
        return false;
    if (base64_decode(text.data, text.len, bytes, &ignored) == 0 || buf_overflowed(bytes))
        return true;
    buf_cut(bytes, before);
    return false;
}

/* "LABEL-----" and nothing else. */
static bool is_end_of(struct str label, struct str tail)
{
    struct str line = front(tail, line_len(tail));

    return line.len >= label.len && memcmp(line.data, label.data, label.len) == 0 &&
           str_has_prefix(behind(line, label.len), DASHES) && line_of(behind(line, label.len + strlen(DASHES))).len == 0;
}

/* The block whose BEGIN stands at the front of `text`. *ret_len: where the search goes on. */
static bool read_block(struct str text, struct pem *block, struct buf *bytes, size_t *ret_len)
{
    struct str rest = behind(text, strlen(BEGIN)), line = line_of(rest), body = behind(rest, line_len(rest)), tail;
    size_t begin = (size_t)(body.data - text.data), next = strlen(BEGIN) + find(rest, BEGIN), end, from;

    *ret_len = strlen(BEGIN) + find(rest, "\n");
    end = find(front(text, next), END);
    if (end == next || !str_has_suffix(line, DASHES))
        return false;
    tail = behind(text, end + strlen(END));
    block->label = front(line, line.len - strlen(DASHES));
    block->headers = headers_of(body);
    from = begin + block->headers.len;
    if (from == text.len || from > end + strlen(END))
        *ret_len = text.len; /* an END that passed for a header: Go looks no further */
    if (from > end && block->headers.len > 0)
        return false;
    if (!is_end_of(block->label, tail) || (end > from && !body_read(front(behind(text, from), end - from), bytes)))
        return false;
    *ret_len = end + strlen(END) + line_len(tail);
    return true;
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

    lines_skip(rest, line, begin_find(*rest));
    if (rest->len == 0)
        return false;
    *ret = (struct pem){.line = *line};
    ret->whole = read_block(*rest, ret, bytes, &len);
    lines_skip(rest, line, len);
    return true;
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
