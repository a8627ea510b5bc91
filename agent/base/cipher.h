/*
 * cipher: AES in CBC mode, and scrypt. A door to libcrypto.
 */
#ifndef BASE_CIPHER_H
#define BASE_CIPHER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CIPHER_BLOCK 16 /* bytes of AES */
#define CIPHER_KEY 32   /* bytes of a key of AES-256 */

/* Whole blocks, without padding; `out` has room for `len` bytes and may be `data`. */
int cipher_aes_cbc(bool encrypt, const unsigned char key[CIPHER_KEY], const unsigned char iv[CIPHER_BLOCK], const void *data, size_t len,
                   unsigned char *out, struct err *err) MUST_USE;

struct cipher_scrypt {
    unsigned n, r, p; /* 128·n·r bytes of memory, at most LIMIT_SCRYPT_BYTES */
};
int cipher_scrypt(const struct cipher_scrypt *cost, const void *password, size_t password_len, const void *salt, size_t salt_len,
                  unsigned char *out, size_t len, struct err *err) MUST_USE;

#endif
