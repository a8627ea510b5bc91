/* Base 32, RFC 4648. Source: sprig, Go's encoding/base32; what cannot be read is its error text, as there. */
#include <string.h>

#include "fn/fn.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Characters that so many bytes, or bytes that so many characters take. */
static const size_t width_of[] = {0, 2, 4, 5, 7, 8};

/* Up to five bytes become eight characters. */
static void encode(struct buf *text, const unsigned char *bytes, size_t count)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < 5; i++)
        bits = bits << 8 | (i < count ? bytes[i] : 0);
    for (size_t i = 0; i < 8; i++)
        buf_addc(text, i < width_of[count] ? digits[bits >> (35 - 5 * i) & 31] : '=');
}

static int body_b32enc(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str s = call->argv[0].s;

    for (size_t i = 0; i < s.len && !text->full; i += 5)
        encode(text, (const unsigned char *)s.data + i, s.len - i < 5 ? s.len - i : 5);
    return fn_return_buf(call, text, ret);
}

/* Newlines do not count. */
static void add_without_newlines(struct buf *text, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != '\r' && s.data[i] != '\n')
            buf_addc(text, s.data[i]);
    }
}

/* The padding behind `count` characters of the group at `at`: where it is wrong, or 0. */
static size_t check_padding(struct str s, size_t at, size_t count)
{
    size_t behind = s.len - at - count - 1;

    if (behind + count < 7)
        return s.len + 1;
    for (size_t k = 0; k < 7 - count && k < behind; k++) {
        if (s.data[at + count + 1 + k] != '=')
            return at + count + k + 1;
    }
    return count == 3 || count == 6 ? at + count + 1 : 0;
}

/* The characters of the group at `at`, and their bits; *wrong is where it cannot be read, counted from 1. */
static size_t read_group(struct str s, size_t at, uint64_t *bits, size_t *wrong)
{
    size_t count = 0;

    for (; count < 8; count++) {
        const char *digit = NULL;

        if (at + count < s.len && s.data[at + count] == '=' && count >= 2 && s.len - at - count <= 8) {
            *wrong = check_padding(s, at, count);
            break;
        }
        if (at + count < s.len && s.data[at + count])
            digit = strchr(digits, s.data[at + count]);
        if (!digit) {
            *wrong = at + (at + count < s.len ? count : 0) + 1;
            break;
        }
        *bits = *bits << 5 | (uint64_t)(digit - digits);
    }
    *bits <<= 5 * (8 - count);
    return count;
}

static size_t decode(struct buf *bytes, struct str s)
{
    for (size_t at = 0, count; at < s.len; at += 8) {
        uint64_t bits = 0;
        size_t wrong = 0;

        count = read_group(s, at, &bits, &wrong);
        if (wrong)
            return wrong;
        for (size_t i = 0; i < 5 && width_of[i + 1] <= count; i++)
            buf_addc(bytes, (char)(bits >> (32 - 8 * i)));
        if (count < 8)
            break;
    }
    return 0;
}

static int body_b32dec(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0}, plain;
    struct buf *bytes = fn_scratch(call, &own);
    size_t wrong;

    buf_init_exact(&plain, call->argv[0].s.len);
    add_without_newlines(&plain, call->argv[0].s);
    wrong = decode(bytes, (struct str){plain.data, plain.len});
    if (wrong) {
        buf_cut(bytes, 0);
        buf_addf(bytes, "illegal base32 data at input byte %zu", wrong - 1);
    }
    return fn_return_buf(call, bytes, ret);
}

static const struct func rows[] = {
    {"sprig_b32dec", "s", body_b32dec, "TEXT", "The bytes that Base 32 text stands for.", COST_SLOW},
    {"sprig_b32enc", "s", body_b32enc, "TEXT", "The text in Base 32.", COST_SLOW},
};

const struct func_table fn_sprig_code = {rows, ARRAY_LEN(rows)};
