#include "sandbox/jwt.h"

#include "base/json.h"
#include "base/limits.h"
#include "sandbox/json_members.h"

#define TREE_PER_BYTE 16 /* a list in a list: "[" and "]" cost 32 bytes */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void jwt_base64_add(struct buf *out, const void *data, size_t len)
{
    const unsigned char *p = data;
    unsigned bits = 0, have = 0;

    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | p[i];
        for (have += 8; have >= 6; have -= 6)
            buf_addc(out, alphabet[bits >> (have - 6) & 63]);
    }
    if (have)
        buf_addc(out, alphabet[bits << (6 - have) & 63]);
}

int jwt_base64_decode(const char *text, size_t len, struct buf *out, struct err *err)
{
    unsigned bits = 0, have = 0;

    for (size_t i = 0; i < len; i++) {
        const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;

        if (!at)
            return err_set(err, ERR_INPUT, "token: not base64url at byte %zu of %zu", i, len);
        bits = bits << 6 | (unsigned)(at - alphabet);
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_addc(out, (char)(bits >> have & 255));
        }
    }
    if (len % 4 == 1)
        return err_set(err, ERR_INPUT, "token: base64url of impossible length %zu", len);
    return buf_check(out, "token", err);
}

static int part_read(struct str part, const char *what, struct arena *arena, struct val *ret, struct err *err)
{
    static const struct json_options options = {.flags = JSON_SECRET | JSON_UNIQUE_KEYS};
    _cleanup_buf_ struct buf json = {0};

    buf_init_secret(&json, LIMIT_TOKEN_BYTES);
    if (jwt_base64_decode(part.data, part.len, &json, err) != 0 || json_read(json.data, json.len, &options, arena, ret, err) != 0)
        return err_wrap(err, "token's %s", what);
    if (ret->kind != VAL_MAP)
        return err_set(err, ERR_INPUT, "token's %s: not an object", what);
    return 0;
}

int jwt_parse(const char *text, size_t len, struct jwt *ret, struct err *err)
{
    const char *end = text + len, *dot = memchr(text, '.', len),
               *dot2 = dot ? memchr(dot + 1, '.', (size_t)(end - dot - 1)) : NULL;

    if (len > LIMIT_TOKEN_BYTES)
        return err_set(err, ERR_LIMIT, "token: more than %zu bytes", LIMIT_TOKEN_BYTES);
    if (!dot2 || memchr(dot2 + 1, '.', (size_t)(end - dot2 - 1)))
        return err_set(err, ERR_INPUT, "token: not three parts with dots between");
    *ret = (struct jwt){.text = {text, (size_t)(dot2 - text)}};
    arena_init_secret(&ret->arena, TREE_PER_BYTE * LIMIT_TOKEN_BYTES, "token");
    buf_init(&ret->signature, LIMIT_TOKEN_BYTES);
    if (part_read((struct str){text, (size_t)(dot - text)}, "header", &ret->arena, &ret->header, err) != 0 ||
        part_read((struct str){dot + 1, (size_t)(dot2 - dot - 1)}, "claims", &ret->arena, &ret->claims, err) != 0 ||
        jwt_base64_decode(dot2 + 1, (size_t)(end - dot2 - 1), &ret->signature, err) != 0) {
        jwt_done(ret);
        return -1;
    }
    return 0;
}

int jwt_verify(const struct jwt *jwt, const struct tls_key *key, struct err *err)
{
    const char *alg = val_get_cstr(&jwt->header, "alg");

    if (!alg || strcmp(alg, tls_key_algorithm(key)))
        return err_set(err, ERR_DENIED, "token: not signed with %s", tls_key_algorithm(key));
    return tls_key_verify(key, jwt->text.data, jwt->text.len, jwt->signature.data, jwt->signature.len, err);
}

void jwt_done(struct jwt *jwt)
{
    arena_done(&jwt->arena);
    buf_done(&jwt->signature);
    *jwt = (struct jwt){0};
}

int jwt_key_id(const struct tls_key *key, struct buf *out, struct err *err)
{
    unsigned char digest[DIGEST_SHA256_LEN];

    if (tls_key_digest(key, digest, err) != 0)
        return -1;
    jwt_base64_add(out, digest, sizeof(digest));
    return 0;
}

int jwt_sign(const struct tls_key *key, const char *claims, struct buf *out, struct err *err)
{
    _cleanup_buf_ struct buf kid = {0}, header = {0}, sig = {0};
    size_t start = out->len;

    buf_init_exact(&kid, KIB(1));
    buf_init_exact(&header, KIB(1));
    buf_init(&sig, KIB(2));
    if (jwt_key_id(key, &kid, err) != 0)
        return -1;
    json_members_object(&header, "alg:s kid:s", tls_key_algorithm(key), kid.data);
    jwt_base64_add(out, header.data, header.len);
    buf_addc(out, '.');
    jwt_base64_add(out, claims, strlen(claims));
    if (buf_check(out, "token", err) != 0 || tls_key_sign(key, out->data + start, out->len - start, &sig, err) != 0)
        return -1;
    buf_addc(out, '.');
    jwt_base64_add(out, sig.data, sig.len);
    return buf_check(out, "token", err);
}

bool jwt_has_audience(const struct val *claims, const char *audience)
{
    const struct val *aud = val_get(claims, "aud");

    if (!aud)
        return false;
    if (aud->kind == VAL_STRING)
        return str_eqs(aud->s, audience);
    for (size_t i = 0; aud->kind == VAL_LIST && i < aud->list.len; i++)
        if (aud->list.items[i].kind == VAL_STRING && str_eqs(aud->list.items[i].s, audience))
            return true;
    return false;
}
