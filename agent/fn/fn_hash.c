/* Checksums. Source: consul-template, sprig. */
#include <string.h>

#include "base/digest.h"
#include "fn/fn.h"

static int return_hex(struct call *call, const unsigned char *bytes, size_t len, struct val *ret)
{
    char *out = arena_alloc(call->arena, len * 2 + 1, call->err);

    if (!out)
        return -1;
    digest_hex(bytes, len, out);
    *ret = val_str(out, len * 2);
    return 0;
}

static int body_sha256(struct call *call, struct val *ret)
{
    unsigned char out[DIGEST_SHA256_LEN];

    digest_sha256(call->argv[0].s.data, call->argv[0].s.len, out);
    return return_hex(call, out, sizeof(out), ret);
}

static int body_sha1(struct call *call, struct val *ret)
{
    unsigned char out[DIGEST_SHA1_LEN];

    digest_sha1(call->argv[0].s.data, call->argv[0].s.len, out);
    return return_hex(call, out, sizeof(out), ret);
}

static int body_sha512(struct call *call, struct val *ret)
{
    unsigned char out[DIGEST_SHA512_LEN];

    digest_sha512(call->argv[0].s.data, call->argv[0].s.len, out);
    return return_hex(call, out, sizeof(out), ret);
}

static int body_md5(struct call *call, struct val *ret)
{
    unsigned char out[DIGEST_MD5_LEN];

    digest_md5(call->argv[0].s.data, call->argv[0].s.len, out);
    return return_hex(call, out, sizeof(out), ret);
}

static int body_hmac(struct call *call, struct val *ret)
{
    struct str message = call->argv[0].s, key = call->argv[1].s;
    unsigned char out[DIGEST_SHA256_LEN];

    digest_hmac_sha256(key.data, key.len, message.data, message.len, out);
    return return_hex(call, out, sizeof(out), ret);
}

/* RFC 1950. */
static int body_adler32(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str s = call->argv[0].s;
    unsigned a = 1, b = 0;

    for (size_t i = 0; i < s.len; i++) {
        a = (a + (unsigned char)s.data[i]) % 65521;
        b = (b + a) % 65521;
    }
    buf_addf(text, "%u", b << 16 | a);
    return fn_return_buf(call, text, ret);
}

static const struct func rows[] = {
    {"hmacSHA256Hex", "ss", body_hmac, "MESSAGE KEY", "The HMAC-SHA-256 of the message in hexadecimal.", COST_HARD},
    {"md5sum", "s", body_md5, "TEXT", "The MD5 of the text in hexadecimal.", COST_SLOW},
    {"sha256Hex", "s", body_sha256, "TEXT", "The SHA-256 of the text in hexadecimal.", COST_SLOW},
    {"sprig_adler32sum", "s", body_adler32, "TEXT", "The Adler-32 of the text as a decimal number.", COST_SLOW},
    {"sprig_sha1sum", "s", body_sha1, "TEXT", "The SHA-1 of the text in hexadecimal.", COST_SLOW},
    {"sprig_sha256sum", "s", body_sha256, "TEXT", "The SHA-256 of the text in hexadecimal.", COST_SLOW},
    {"sprig_sha512sum", "s", body_sha512, "TEXT", "The SHA-512 of the text in hexadecimal.", COST_SLOW},
};

const struct func_table fn_hash = {rows, ARRAY_LEN(rows)};
