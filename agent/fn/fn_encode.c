/* JSON and base64. Source: consul-template; JSON as Go's encoding/json. */
#include "base/json.h"
#include "fn/fn.h"
#include "go/decode64.h"

/* ------------------------------------------------------------------------------------------------------------- JSON */

static int write_json(struct call *call, unsigned flags, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    if (json_write(text, &call->argv[0], flags, call->err) != 0)
        return err_wrap(call->err, "%s", call->name);
    return fn_return_buf(call, text, ret);
}

static int body_to_json(struct call *call, struct val *ret)
{
    return write_json(call, 0, ret);
}

static int body_to_json_pretty(struct call *call, struct val *ret)
{
    return write_json(call, JSON_PRETTY, ret);
}

static int body_to_unescaped_json(struct call *call, struct val *ret)
{
    return write_json(call, JSON_NO_HTML, ret);
}

static int body_to_unescaped_json_pretty(struct call *call, struct val *ret)
{
    return write_json(call, JSON_NO_HTML | JSON_PRETTY, ret);
}

static int body_parse_json(struct call *call, struct val *ret)
{
    static const struct val_pair none[1];
    struct json_options options = {.flags = JSON_FLOATS | JSON_REPLACE_UTF8};
    struct str s = call->argv[0].s;

    if (s.len == 0) {
        *ret = val_map(none, 0);
        return 0;
    }
    return json_read(s.data, s.len, &options, call->arena, ret, call->err);
}

/* ----------------------------------------------------------------------------------------------------------- base64 */

static char digit(unsigned value, const char *last)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    value &= 63;
    return value < 62 ? digits[value] : last[value - 62];
}

static int encode(struct call *call, const char *last, struct val *ret)
{
    struct str s = call->argv[0].s;
    size_t len = (s.len + 2) / 3 * 4;
    char *out = arena_alloc(call->arena, len + 1, call->err), *p = out;

    if (!out)
        return -1;
    for (size_t i = 0; i < s.len; i += 3) {
        unsigned bits = (unsigned)(unsigned char)s.data[i] << 16;

        bits |= i + 1 < s.len ? (unsigned)(unsigned char)s.data[i + 1] << 8 : 0;
        bits |= i + 2 < s.len ? (unsigned)(unsigned char)s.data[i + 2] : 0;
        *p++ = digit(bits >> 18, last);
        *p++ = digit(bits >> 12, last);
        *p++ = i + 1 < s.len ? digit(bits >> 6, last) : '=';
        *p++ = i + 2 < s.len ? digit(bits, last) : '=';
    }
    *ret = val_str(out, len);
    return 0;
}

static int body_base64_encode(struct call *call, struct val *ret)
{
    return encode(call, DECODE64_STANDARD, ret);
}

static int body_base64_url_encode(struct call *call, struct val *ret)
{
    return encode(call, DECODE64_URL, ret);
}

/* Errors say where, in Go's words. */
static int decode_or_fail(struct call *call, const char *last, struct val *ret)
{
    size_t bad;

    if (decode64_part(call->arena, call->argv[0].s, last, ret, &bad, call->err) != 0)
        return -1;
    if (bad <= call->argv[0].s.len)
        return err_set(call->err, ERR_INPUT, "%s: illegal base64 data at input byte %zu", call->name, bad);
    return 0;
}

static int body_base64_decode(struct call *call, struct val *ret)
{
    return decode_or_fail(call, DECODE64_STANDARD, ret);
}

static int body_base64_url_decode(struct call *call, struct val *ret)
{
    return decode_or_fail(call, DECODE64_URL, ret);
}

/* Errors are values here. */
static int body_b64dec(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text;
    size_t bad;

    if (decode64_part(call->arena, call->argv[0].s, DECODE64_STANDARD, ret, &bad, call->err) != 0)
        return -1;
    if (bad > call->argv[0].s.len)
        return 0;
    text = fn_scratch(call, &own);
    buf_addf(text, "illegal base64 data at input byte %zu", bad);
    return fn_return_buf(call, text, ret);
}

static const struct func rows[] = {
    {"base64Decode", "s", body_base64_decode, "TEXT", "The bytes that base64 text stands for."},
    {"base64Encode", "s", body_base64_encode, "TEXT", "The text as base64."},
    {"base64URLDecode", "s", body_base64_url_decode, "TEXT", "The bytes that base64 text in the alphabet of URLs stands for."},
    {"base64URLEncode", "s", body_base64_url_encode, "TEXT", "The text as base64 in the alphabet of URLs."},
    {"parseJSON", "s", body_parse_json, "TEXT", "The value that JSON text describes; numbers become float64.", COST_SLOW},
    {"sprig_b64dec", "s", body_b64dec, "TEXT", "The bytes that base64 text stands for, or why it stands for none."},
    {"sprig_b64enc", "s", body_base64_encode, "TEXT", "The text as base64."},
    {"toJSON", "a", body_to_json, "VALUE", "The value as JSON on one line."},
    {"toJSONPretty", "a", body_to_json_pretty, "VALUE", "The value as JSON, indented by two spaces."},
    {"toUnescapedJSON", "a", body_to_unescaped_json, "VALUE", "The value as JSON on one line, with < > & as they are."},
    {"toUnescapedJSONPretty", "a", body_to_unescaped_json_pretty, "VALUE", "The value as indented JSON, with < > & as they are."},
};

const struct func_table fn_encode = {rows, ARRAY_LEN(rows)};
