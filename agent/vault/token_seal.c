#include "vault/token_seal.h"

#include <string.h>

#include "base/base64.h"
#include "base/cipher.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "base/mem.h"

#define PUBLIC_KEY "curve25519_public_key"

/* A member of exactly `size` bytes in base64. */
static int read_bytes(const struct val *map, const char *key, size_t size, unsigned char *ret, struct err *err)
{
    const char *text = val_get_cstr(map, key);
    _cleanup_buf_ struct buf bytes;

    buf_init_secret(&bytes, size + 1);
    if (!text)
        return err_set(err, ERR_INPUT, "no %s", key);
    if (base64_decode(text, strlen(text), &bytes, err) != 0)
        return err_wrap(err, "%s", key);
    if (bytes.len != size)
        return err_set(err, ERR_INPUT, "%s has %zu bytes, not %zu", key, bytes.len, size);
    memcpy(ret, bytes.data, size);
    return 0;
}

static int read_object(struct arena *arena, const char *json, size_t len, struct val *ret, struct err *err)
{
    const struct json_options options = {.flags = JSON_SECRET};

    if (json_read(json, len, &options, arena, ret, err) != 0)
        return -1;
    return ret->kind == VAL_MAP ? 0 : err_set(err, ERR_INPUT, "not a JSON object");
}

int token_seal_reader(const char *json, size_t len, unsigned char ret[X25519_KEY], struct err *err)
{
    _cleanup_arena_ struct arena arena;
    struct val object;

    arena_init(&arena, LIMIT_TOKEN_BYTES, "public key");
    if (read_object(&arena, json, len, &object, err) != 0)
        return -1;
    return read_bytes(&object, PUBLIC_KEY, X25519_KEY, ret, err);
}

/* The key of both for this token. */
static int agree(const struct token_seal *seal, const unsigned char *private, const unsigned char *ours,
                 const unsigned char *theirs, unsigned char key[CIPHER_KEY], struct err *err)
{
    int order = memcmp(ours, theirs, X25519_KEY);
    const unsigned char *salt = order < 0 ? ours : theirs, *info = order < 0 ? theirs : ours;
    unsigned char secret[X25519_KEY];

    if (order == 0)
        return err_set(err, ERR_INPUT, "both public keys are the same");
    if (x25519_shared(private, theirs, secret, err) != 0)
        return -1;
    if (seal->derive_key)
        digest_hkdf_sha256(secret, sizeof(secret), salt, X25519_KEY, info, X25519_KEY, key);
    else
        memcpy(key, secret, sizeof(secret));
    mem_wipe(secret, sizeof(secret));
    return 0;
}

static void write_bytes(struct buf *out, const char *key, const void *data, size_t len)
{
    json_text_key(out, key);
    buf_addc(out, '"');
    base64_encode(data, len, out);
    buf_addc(out, '"');
}

int token_seal(const struct token_seal *seal, const unsigned char reader[X25519_KEY], const char *text, size_t len,
               struct buf *out, struct err *err)
{
    unsigned char private[X25519_KEY], public[X25519_KEY];
    struct cipher_gcm gcm = {.aad = seal->aad, .aad_len = strlen(seal->aad)};
    _cleanup_free_ unsigned char *sealed = mem_alloc(len + CIPHER_TAG);
    int status;

    if (len == 0)
        return err_set(err, ERR_INPUT, "there is nothing to seal");
    digest_random(gcm.nonce, sizeof(gcm.nonce));
    status = x25519_make(private, public, err) != 0 || agree(seal, private, public, reader, gcm.key, err) != 0 ||
             cipher_gcm_seal(&gcm, text, len, sealed, err) != 0;
    mem_wipe(private, sizeof(private));
    mem_wipe(gcm.key, sizeof(gcm.key));
    if (status)
        return -1;
    json_text_open(out, '{');
    write_bytes(out, PUBLIC_KEY, public, sizeof(public));
    write_bytes(out, "nonce", gcm.nonce, sizeof(gcm.nonce));
    write_bytes(out, "encrypted_payload", sealed, len + CIPHER_TAG);
    json_text_close(out, '}');
    buf_addc(out, '\n');
    return buf_check(out, "sealed token", err);
}

static int open_payload(const struct cipher_gcm *gcm, const char *text, struct buf *out, struct err *err)
{
    _cleanup_buf_ struct buf sealed;
    char *room;

    buf_init_secret(&sealed, LIMIT_TOKEN_BYTES);
    if (!text)
        return err_set(err, ERR_INPUT, "no encrypted_payload");
    if (base64_decode(text, strlen(text), &sealed, err) != 0)
        return err_wrap(err, "encrypted_payload");
    room = buf_room(out, sealed.len);
    if (!room)
        return buf_check(out, "token", err);
    if (cipher_gcm_open(gcm, (const unsigned char *)sealed.data, sealed.len, (unsigned char *)room, err) != 0)
        return -1;
    out->len += sealed.len - CIPHER_TAG;
    out->data[out->len] = '\0';
    return 0;
}

int token_unseal(const struct token_seal *seal, const unsigned char private[X25519_KEY], const char *json, size_t len,
                 struct buf *out, struct err *err)
{
    _cleanup_arena_ struct arena arena;
    struct cipher_gcm gcm = {.aad = seal->aad, .aad_len = strlen(seal->aad)};
    unsigned char ours[X25519_KEY], theirs[X25519_KEY];
    struct val object;
    int status;

    arena_init_secret(&arena, LIMIT_TOKEN_BYTES * 2, "sealed token");
    if (read_object(&arena, json, len, &object, err) != 0 || read_bytes(&object, PUBLIC_KEY, X25519_KEY, theirs, err) != 0 ||
        read_bytes(&object, "nonce", CIPHER_NONCE, gcm.nonce, err) != 0 || x25519_public(private, ours, err) != 0 ||
        agree(seal, private, ours, theirs, gcm.key, err) != 0)
        return -1;
    status = open_payload(&gcm, val_get_cstr(&object, "encrypted_payload"), out, err);
    mem_wipe(gcm.key, sizeof(gcm.key));
    return status;
}
