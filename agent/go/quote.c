#include "go/quote.h"

#include "base/unicode.h"
#include "base/utf8.h"

static void add_hex(struct buf *buf, const char *prefix, unsigned number, int digits)
{
    buf_adds(buf, prefix);
    while (digits-- > 0)
        buf_addc(buf, "0123456789abcdef"[number >> 4 * digits & 15]);
}

static void add_escape(struct buf *buf, unsigned rune)
{
    static const char known[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";

    if (rune >= '\a' && rune <= '\r') {
        buf_addc(buf, '\\');
        buf_addc(buf, letters[rune - (unsigned char)known[0]]);
    } else if (rune < ' ' || rune == 0x7F) {
        add_hex(buf, "\\x", rune, 2);
    } else if (rune < 0x10000) {
        add_hex(buf, "\\u", rune, 4);
    } else {
        add_hex(buf, "\\U", rune, 8);
    }
}

static void add_rune(struct buf *buf, unsigned rune, char quote, bool ascii_only)
{
    if (rune == (unsigned char)quote || rune == '\\') {
        buf_addc(buf, '\\');
        buf_addc(buf, (char)rune);
    } else if ((rune < 0x80 || !ascii_only) && unicode_is_print(rune)) {
        buf_add_rune(buf, rune);
    } else {
        add_escape(buf, rune);
    }
}

/* Runs of plain ASCII are the usual case. */
static size_t plain_run(struct str s)
{
    size_t n = 0;

    while (n < s.len && s.data[n] >= ' ' && s.data[n] < 0x7F && s.data[n] != '"' && s.data[n] != '\\')
        n++;
    return n;
}

void quote_str(struct buf *buf, struct str s, bool ascii_only)
{
    size_t step;
    unsigned rune;

    buf_addc(buf, '"');
    for (; s.len > 0; s.data += step, s.len -= step) {
        step = plain_run(s);
        if (step > 0) {
            buf_add(buf, s.data, step);
        } else if ((step = utf8_decode(s.data, s.len, &rune)) > 0) {
            add_rune(buf, rune, '"', ascii_only);
        } else {
            add_hex(buf, "\\x", (unsigned char)*s.data, 2);
            step = 1;
        }
    }
    buf_addc(buf, '"');
}

void quote_rune(struct buf *buf, uint64_t rune, bool ascii_only)
{
    if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF))
        rune = UTF8_BAD;
    buf_addc(buf, '\'');
    add_rune(buf, (unsigned)rune, '\'', ascii_only);
    buf_addc(buf, '\'');
}

bool quote_can_be_raw(struct str s)
{
    unsigned rune;

    for (size_t width; s.len > 0; s.data += width, s.len -= width) {
        width = utf8_decode(s.data, s.len, &rune);
        if (width == 0 || rune == 0xFEFF || rune == '`' || rune == 0x7F || (rune < ' ' && rune != '\t'))
            return false;
    }
    return true;
}
