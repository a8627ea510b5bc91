#include "base/x25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/digest.h"
#include "base/mem.h"

static void cleanup_pkey(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void cleanup_ctx(EVP_PKEY_CTX **ctx)
{
    EVP_PKEY_CTX_free(*ctx);
}

int x25519_public(const unsigned char private[X25519_KEY], unsigned char public[X25519_KEY], struct err *err)
{
    _cleanup_(cleanup_pkey) EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private, X25519_KEY);
    size_t len = X25519_KEY;

    if (key && EVP_PKEY_get_raw_public_key(key, public, &len) == 1)
        return 0;
    ERR_clear_error();
    return err_set(err, ERR_SYSTEM, "X25519 failed in libcrypto");
}

int x25519_make(unsigned char private[X25519_KEY], unsigned char public[X25519_KEY], struct err *err)
{
    digest_random(private, X25519_KEY);
    return x25519_public(private, public, err);
}

int x25519_shared(const unsigned char private[X25519_KEY], const unsigned char theirs[X25519_KEY],
                  unsigned char secret[X25519_KEY], struct err *err)
{
    _cleanup_(cleanup_pkey) EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private, X25519_KEY);
    _cleanup_(cleanup_pkey) EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, theirs, X25519_KEY);
    _cleanup_(cleanup_ctx) EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    size_t len = X25519_KEY;

    if (peer && ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
        EVP_PKEY_derive(ctx, secret, &len) == 1)
        return 0;
    ERR_clear_error();
    return err_set(err, ERR_INPUT, "the public key is of no use");
}
