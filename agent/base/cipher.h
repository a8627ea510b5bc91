/*
 * cipher: AES-256 in CBC and GCM mode, and scrypt. A door to libcrypto.
 */
#ifndef BASE_CIPHER_H
#define BASE_CIPHER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CIPHER_BLOCK 16 /* bytes of AES */
#define CIPHER_KEY   32 /* bytes of a key of AES-256 */

/* Whole blocks, without padding; `out` has room for `len` bytes and may be `data`. */
int cipher_aes_cbc(bool encrypt, const unsigned char key[CIPHER_KEY], const unsigned char iv[CIPHER_BLOCK], const void *data,
                   size_t len, unsigned char *out, struct err *err) MUST_USE;

#define CIPHER_NONCE 12 /* bytes, never the same for two texts of one key */
#define CIPHER_TAG   16

struct cipher_gcm {
    unsigned char key[CIPHER_KEY], nonce[CIPHER_NONCE];
    const void *aad; /* what is proven with the text, and not in it */
    size_t aad_len;
};
/* `out`: the text as long as it is, and the tag behind it. */
int cipher_gcm_seal(const struct cipher_gcm *gcm, const void *data, size_t len, unsigned char *out, struct err *err) MUST_USE;
/* `data` with its tag; `out` has room for the rest. ERR_DENIED: another key, other `aad`, or not as it was sealed. */
int cipher_gcm_open(const struct cipher_gcm *gcm, const unsigned char *data, size_t len, unsigned char *out, struct err *err)
    MUST_USE;

struct cipher_scrypt {
    unsigned n, r, p; /* 128·n·r bytes of memory, at most LIMIT_SCRYPT_BYTES */
};
int cipher_scrypt(const struct cipher_scrypt *cost, const void *password, size_t password_len, const void *salt, size_t salt_len,
                  unsigned char *out, size_t len, struct err *err) MUST_USE;

#endif
