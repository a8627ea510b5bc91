#include "base/cipher.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/limits.h"
#include "base/mem.h"

static int fail(struct err *err, const char *what)
{
    ERR_clear_error();
    return err_set(err, ERR_SYSTEM, "%s failed in libcrypto", what);
}

int cipher_aes_cbc(bool encrypt, const unsigned char key[CIPHER_KEY], const unsigned char iv[CIPHER_BLOCK], const void *data,
                   size_t len, unsigned char *out, struct err *err)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done;
    bool ok = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, iv, encrypt) == 1 &&
              EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 && EVP_CipherUpdate(ctx, out, &done, data, (int)len) == 1 &&
              (size_t)done == len;

    EVP_CIPHER_CTX_free(ctx);
    return ok ? 0 : fail(err, "AES");
}

/* Key, nonce, and what is proven beside the text. */
static EVP_CIPHER_CTX *gcm_start(const struct cipher_gcm *gcm, bool encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done;

    if (ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, gcm->key, gcm->nonce, encrypt) == 1 &&
        (gcm->aad_len == 0 || EVP_CipherUpdate(ctx, NULL, &done, gcm->aad, (int)gcm->aad_len) == 1))
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

int cipher_gcm_seal(const struct cipher_gcm *gcm, const void *data, size_t len, unsigned char *out, struct err *err)
{
    EVP_CIPHER_CTX *ctx = gcm_start(gcm, true);
    int done;
    bool ok = ctx && EVP_CipherUpdate(ctx, out, &done, data, (int)len) == 1 && EVP_CipherFinal_ex(ctx, out + len, &done) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, CIPHER_TAG, out + len) == 1;

    EVP_CIPHER_CTX_free(ctx);
    return ok ? 0 : fail(err, "AES-GCM");
}

int cipher_gcm_open(const struct cipher_gcm *gcm, const unsigned char *data, size_t len, unsigned char *out, struct err *err)
{
    EVP_CIPHER_CTX *ctx;
    size_t text = len - CIPHER_TAG;
    int done;
    bool ok;

    if (len < CIPHER_TAG)
        return err_set(err, ERR_INPUT, "shorter than its proof");
    ctx = gcm_start(gcm, false);
    ok = ctx && EVP_CipherUpdate(ctx, out, &done, data, (int)text) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, CIPHER_TAG, (void *)(data + text)) == 1 &&
         EVP_CipherFinal_ex(ctx, out + text, &done) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (ok)
        return 0;
    ERR_clear_error();
    mem_wipe(out, text);
    return err_set(err, ERR_DENIED, "sealed with another key or other data, or changed since");
}

int cipher_scrypt(const struct cipher_scrypt *cost, const void *password, size_t password_len, const void *salt, size_t salt_len,
                  unsigned char *out, size_t len, struct err *err)
{
    if (EVP_PBE_scrypt(password, password_len, salt, salt_len, cost->n, cost->r, cost->p, LIMIT_SCRYPT_BYTES, out, len) != 1)
        return fail(err, "scrypt");
    return 0;
}
