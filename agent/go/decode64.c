#include "go/decode64.h"

static int digit_of(char c, const char *last)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == last[0] ? 62 : c == last[1] ? 63 : -1;
}

static size_t skip_newlines(struct str s, size_t at)
{
    while (at < s.len && (s.data[at] == '\n' || s.data[at] == '\r'))
        at++;
    return at;
}

/* Behind the first '=' of a group that had `count` digits: where the text is bad, or s.len + 1. */
static size_t check_padding(struct str s, size_t at, int count)
{
    if (count < 2)
        return at - 1;
    if (count == 2) {
        at = skip_newlines(s, at);
        if (at == s.len)
            return s.len;
        if (s.data[at] != '=')
            return at - 1;
        at++;
    }
    at = skip_newlines(s, at);
    return at < s.len ? at : s.len + 1;
}

/* One group of four digits at *at. Its digits are counted; *ret_bad is where the text is bad, or s.len + 1. */
static int read_group(struct str s, const char *last, size_t *at, unsigned *ret_bits, size_t *ret_bad)
{
    int count = 0;

    *ret_bits = 0;
    *ret_bad = s.len + 1;
    while (count < 4) {
        int value;

        *at = skip_newlines(s, *at);
        if (*at == s.len) {
            if (count > 0)
                *ret_bad = s.len - (size_t)count;
            return 0;
        }
        value = digit_of(s.data[(*at)++], last);
        if (value < 0) {
            *ret_bad = s.data[*at - 1] == '=' ? check_padding(s, *at, count) : *at - 1;
            *at = s.len;
            break;
        }
        *ret_bits |= (unsigned)value << (18 - 6 * count++);
    }
    return count;
}

int decode64_part(struct arena *arena, struct str text, const char *last, struct val *ret, size_t *ret_bad, struct err *err)
{
    char *out = arena_alloc(arena, text.len / 4 * 3 + 4, err);
    size_t len = 0, at = 0;
    unsigned bits;
    int count;

    if (!out)
        return -1;
    do {
        count = read_group(text, last, &at, &bits, ret_bad);
        if (*ret_bad <= text.len)
            return 0;
        for (int i = 0; i + 1 < count; i++)
            out[len++] = (char)(bits >> (16 - 8 * i));
    } while (count == 4);
    out[len] = '\0';
    *ret = val_str(out, len);
    return 0;
}

int decode64(struct arena *arena, struct str text, struct val *ret, struct err *err)
{
    size_t bad;

    if (decode64_part(arena, text, DECODE64_STANDARD, ret, &bad, err) != 0)
        return -1;
    if (bad <= text.len)
        return err_set(err, ERR_INPUT, "illegal base64 data at input byte %zu", bad);
    return 0;
}
