/* html, js, urlquery: the escaping functions of Go's text/template. */
#include <string.h>

#include "base/unicode.h"
#include "base/utf8.h"
#include "fn/fn.h"
#include "go/format.h"

static bool is_text(const struct val *v)
{
    return val_is_nil(v) || v->kind == VAL_NUMBER || (v->kind == VAL_STRING && v->type != VAL_T_BYTES);
}

/* The arguments as `print` joins them, but nil is "<no value>" and pointers to structs are followed. */
static void join_args(struct buf *text, const struct call *call)
{
    for (size_t i = 0; i < call->argc; i++) {
        const struct val *v = &call->argv[i];

        if (i > 0 && !is_text(v) && !is_text(&call->argv[i - 1]))
            buf_addc(text, ' ');
        if (val_is_nil(v))
            buf_adds(text, "<no value>");
        else
            format_print(text, v);
    }
}

typedef size_t escape_step(struct buf *out, struct str rest);

/* Escape what join_args() makes of the call; `step` takes what it can from the front and says how many bytes that was. */
static int escape_args(struct call *call, escape_step *step, struct val *ret)
{
    _cleanup_buf_ struct buf out = {0};
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str rest;

    join_args(text, call);
    if (buf_check(text, call->name, call->err) != 0)
        return -1;
    buf_init_secret(&out, text->max);
    rest = (struct str){text->data, text->len};
    for (size_t n; rest.len > 0 && !out.full; rest.data += n, rest.len -= n)
        n = step(&out, rest);
    return fn_return_buf(call, &out, ret);
}

/* Copies what lies before the first byte of `special` or of another class; 0 when that is the first byte. */
static size_t copy_until(struct buf *out, struct str rest, bool (*is_special)(unsigned char))
{
    size_t n = 0;

    while (n < rest.len && !is_special((unsigned char)rest.data[n]))
        n++;
    buf_add(out, rest.data, n);
    return n;
}

static const char *html_escape(unsigned char c)
{
    switch (c) {
    case '\0':
        return "\xEF\xBF\xBD";
    case '"':
        return "&#34;";
    case '\'':
        return "&#39;";
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    default:
        return NULL;
    }
}

static bool is_html_special(unsigned char c)
{
    return html_escape(c) != NULL;
}

static size_t html_step(struct buf *out, struct str rest)
{
    size_t n = copy_until(out, rest, is_html_special);

    if (n == 0)
        buf_adds(out, html_escape((unsigned char)*rest.data));
    return n > 0 ? n : 1;
}

static bool is_js_special(unsigned char c)
{
    return c < ' ' || c >= 0x80 || strchr("\\'\"<>&=", c);
}

static const char hex[] = "0123456789ABCDEF";

static size_t js_step(struct buf *out, struct str rest)
{
    size_t n = copy_until(out, rest, is_js_special);
    unsigned char c = (unsigned char)*rest.data;
    unsigned rune = UTF8_BAD;

    if (n > 0)
        return n;
    if (c < 0x80) {
        if (c > ' ' && strchr("\\'\"", c))
            buf_add(out, (char[]){'\\', (char)c}, 2);
        else
            buf_add(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6); /* printf would take ten times as long */
        return 1;
    }
    n = utf8_decode(rest.data, rest.len, &rune);
    n += n == 0;
    if (unicode_is_print(rune))
        buf_add(out, rest.data, n);
    else
        buf_addf(out, "\\u%04X", rune);
    return n;
}

static bool is_url_special(unsigned char c)
{
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

    return !letter && !(c >= '0' && c <= '9') && !(c && strchr("-_.~", c));
}

static size_t url_step(struct buf *out, struct str rest)
{
    size_t n = copy_until(out, rest, is_url_special);
    unsigned char c = (unsigned char)*rest.data;

    if (n > 0)
        return n;
    if (c == ' ')
        buf_addc(out, '+');
    else
        buf_add(out, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
    return 1;
}

static int body_html(struct call *call, struct val *ret)
{
    return escape_args(call, html_step, ret);
}

static int body_js(struct call *call, struct val *ret)
{
    return escape_args(call, js_step, ret);
}

static int body_urlquery(struct call *call, struct val *ret)
{
    return escape_args(call, url_step, ret);
}

static const struct func rows[] = {
    {"html", "a*", body_html, "ARG...", "The arguments as text that is safe inside HTML.", COST_SLOW},
    {"js", "a*", body_js, "ARG...", "The arguments as text that is safe inside a JavaScript string.", COST_SLOW},
    {"urlquery", "a*", body_urlquery, "ARG...", "The arguments as text that is safe in the query of a URL.", COST_SLOW},
};

const struct func_table fn_escape = {rows, ARRAY_LEN(rows)};
