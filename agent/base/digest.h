/*
 * digest: random numbers and hashes; the only door to libcrypto in base/.
 *
 * Random bytes come from OpenSSL's generator seeded by getrandom(2); a failing generator is fatal, there is no weak fallback.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_SHA256_LEN 32
#define DIGEST_SHA1_LEN   20
#define DIGEST_SHA512_LEN 64
#define DIGEST_MD5_LEN    16
#define DIGEST_INFO_MOST  255 /* bytes of what a derived key is for */

void digest_random(void *data, size_t len);
/* Uniform in [0, below); 0 for below <= 1. */
uint64_t digest_random_below(uint64_t below);
/* Uniform in [low, high): the one source of jitter. */
double digest_jitter(double low, double high);

void digest_sha256(const void *data, size_t len, unsigned char out[DIGEST_SHA256_LEN]);
void digest_sha1(const void *data, size_t len, unsigned char out[DIGEST_SHA1_LEN]);
void digest_sha512(const void *data, size_t len, unsigned char out[DIGEST_SHA512_LEN]);
void digest_md5(const void *data, size_t len, unsigned char out[DIGEST_MD5_LEN]); /* for templates, nothing that must be safe */
void digest_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, unsigned char out[DIGEST_SHA256_LEN]);
/* HKDF (RFC 5869) with SHA-256, one block of output. */
void digest_hkdf_sha256(const void *secret, size_t secret_len, const void *salt, size_t salt_len, const void *info,
                        size_t info_len, unsigned char out[DIGEST_SHA256_LEN]);
/* 2*len lower-case digits and a NUL into `out`. */
void digest_hex(const unsigned char *data, size_t len, char *out);

#endif
