#include "base/cipher.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/limits.h"

static int fail(struct err *err, const char *what)
{
    ERR_clear_error();
    return err_set(err, ERR_SYSTEM, "%s failed in libcrypto", what);
}

int cipher_aes_cbc(bool encrypt, const unsigned char key[CIPHER_KEY], const unsigned char iv[CIPHER_BLOCK], const void *data, size_t len,
                   unsigned char *out, struct err *err)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done;
    bool ok = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, iv, encrypt) == 1 &&
              EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 && EVP_CipherUpdate(ctx, out, &done, data, (int)len) == 1 && (size_t)done == len;

    EVP_CIPHER_CTX_free(ctx);
    return ok ? 0 : fail(err, "AES");
}

int cipher_scrypt(const struct cipher_scrypt *cost, const void *password, size_t password_len, const void *salt, size_t salt_len,
                  unsigned char *out, size_t len, struct err *err)
{
    if (EVP_PBE_scrypt(password, password_len, salt, salt_len, cost->n, cost->r, cost->p, LIMIT_SCRYPT_BYTES, out, len) != 1)
        return fail(err, "scrypt");
    return 0;
}
