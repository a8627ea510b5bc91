#include "go/ip.h"

#include <string.h>

#include "base/limits.h"
#include "go/quote.h"

struct reader {
    struct str all; /* for messages */
    struct str rest;
    bool redact;
    struct err *err;
};

static void add_quoted(struct buf *text, const struct reader *reader, struct str s)
{
    if (reader->redact)
        buf_adds(text, "[redacted]");
    else
        quote_str(text, s, false);
}

/* `at` of no data: the message names no place. */
static int fail(const struct reader *reader, const char *what, struct str at)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_OUTPUT_BYTES);
    buf_adds(&text, "ParseAddr(");
    add_quoted(&text, reader, reader->all);
    buf_addf(&text, "): %s", what);
    if (at.len > 0) {
        buf_adds(&text, " (at ");
        add_quoted(&text, reader, at);
        buf_addc(&text, ')');
    }
    return err_set(reader->err, ERR_INPUT, "%s", text.data);
}

static struct str from(struct str s, size_t at)
{
    return (struct str){s.data + at, s.len - at};
}

/* reader->rest is four numbers. */
static int read_four(const struct reader *reader, unsigned char bytes[4])
{
    struct str s = reader->rest;
    size_t digits = 0, field = 0;
    unsigned number = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] >= '0' && s.data[i] <= '9') {
            if (digits++ == 1 && number == 0)
                return fail(reader, "IPv4 field has octet with leading zero", STR(""));
            number = number * 10 + (unsigned)(s.data[i] - '0');
            if (number > 255)
                return fail(reader, "IPv4 field has value >255", STR(""));
        } else if (s.data[i] == '.') {
            if (digits == 0 || i == s.len - 1)
                return fail(reader, "IPv4 field must have at least one digit", from(s, i));
            if (field == 3)
                return fail(reader, "IPv4 address too long", STR(""));
            bytes[field++] = (unsigned char)number;
            number = 0;
            digits = 0;
        } else {
            return fail(reader, "unexpected character", from(s, i));
        }
    }
    if (field < 3)
        return fail(reader, "IPv4 address too short", STR(""));
    bytes[3] = (unsigned char)number;
    return 0;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Up to four hexadecimal digits: how many. */
static int read_group(const struct reader *reader, size_t *ret_len, unsigned *ret)
{
    size_t n = 0;

    *ret = 0;
    for (; n < reader->rest.len && digit_of(reader->rest.data[n]) >= 0; n++) {
        if (n > 3)
            return fail(reader, "each group must have 4 or less digits", reader->rest);
        *ret = *ret << 4 | (unsigned)digit_of(reader->rest.data[n]);
    }
    *ret_len = n;
    return n > 0 ? 0 : fail(reader, "each colon-separated field must have at least one digit", reader->rest);
}

/* What separates a group from the next one; *ellipsis is where "::" stood. */
static int read_colon(struct reader *reader, size_t at, int *ellipsis)
{
    if (reader->rest.data[0] != ':')
        return fail(reader, "unexpected character, want colon", reader->rest);
    if (reader->rest.len == 1)
        return fail(reader, "colon must be followed by more characters", reader->rest);
    reader->rest = from(reader->rest, 1);
    if (reader->rest.data[0] != ':')
        return 0;
    if (*ellipsis >= 0)
        return fail(reader, "multiple :: in address", reader->rest);
    *ellipsis = (int)at;
    reader->rest = from(reader->rest, 1);
    return 0;
}

/* The last two fields as four numbers. */
static int read_embedded(struct reader *reader, size_t at, int ellipsis, struct ip *ip)
{
    if (ellipsis < 0 && at != 12)
        return fail(reader, "embedded IPv4 address must replace the final 2 fields of the address", reader->rest);
    if (at > 12)
        return fail(reader, "too many hex fields to fit an embedded IPv4 at the end of the address", reader->rest);
    if (read_four(reader, ip->bytes + at) != 0)
        return -1;
    reader->rest.len = 0;
    return 0;
}

/* The fields behind the ellipsis move to the end. */
static int expand(const struct reader *reader, size_t len, int ellipsis, struct ip *ip)
{
    size_t gap = 16 - len, tail = ellipsis < 0 ? 0 : len - (size_t)ellipsis;

    if (gap == 0)
        return ellipsis < 0 ? 0 : fail(reader, "the :: must expand to at least one field of zeros", STR(""));
    if (ellipsis < 0)
        return fail(reader, "address string too short", STR(""));
    memmove(ip->bytes + 16 - tail, ip->bytes + ellipsis, tail);
    memset(ip->bytes + ellipsis, 0, gap);
    return 0;
}

static int parse_six(struct reader *reader, struct ip *ip)
{
    const char *percent = memchr(reader->all.data, '%', reader->all.len);
    int ellipsis = -1;
    size_t at = 0, len = 0;
    unsigned group;

    ip->zone = percent != NULL;
    reader->rest.len = percent ? (size_t)(percent - reader->all.data) : reader->all.len;
    if (percent && reader->rest.len + 1 == reader->all.len)
        return fail(reader, "zone must be a non-empty string", STR(""));
    if (str_has_prefix(reader->rest, "::")) {
        ellipsis = 0;
        reader->rest = from(reader->rest, 2);
    }
    while (at < 16 && reader->rest.len > 0) {
        if (read_group(reader, &len, &group) != 0)
            return -1;
        if (len < reader->rest.len && reader->rest.data[len] == '.') {
            if (read_embedded(reader, at, ellipsis, ip) != 0)
                return -1;
            at += 4;
            break;
        }
        ip->bytes[at++] = (unsigned char)(group >> 8);
        ip->bytes[at++] = (unsigned char)group;
        reader->rest = from(reader->rest, len);
        if (reader->rest.len > 0 && read_colon(reader, at, &ellipsis) != 0)
            return -1;
    }
    if (reader->rest.len > 0)
        return fail(reader, "trailing garbage after address", reader->rest);
    return expand(reader, at, ellipsis, ip);
}

int ip_parse(struct str text, bool redact, struct ip *ret, struct err *err)
{
    struct reader reader = {text, text, redact, err};
    struct ip ip = {.len = 4};
    size_t i = 0;

    while (i < text.len && !memchr(".:%", text.data[i], 3))
        i++;
    if (i == text.len)
        return fail(&reader, "unable to parse IP", STR(""));
    if (text.data[i] == '%')
        return fail(&reader, "missing IPv6 address", STR(""));
    if (text.data[i] == ':')
        ip.len = 16;
    if ((ip.len == 4 ? read_four(&reader, ip.bytes) : parse_six(&reader, &ip)) != 0)
        return -1;
    *ret = ip;
    return 0;
}
