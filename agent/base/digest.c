#include "base/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static _Noreturn void fatal(const char *what)
{
    fprintf(stderr, "%s failed in libcrypto\n", what);
    abort();
}

void digest_random(void *data, size_t len)
{
    if (RAND_bytes(data, (int)len) != 1)
        fatal("random generator");
}

/* Reject the tail that would make small numbers more likely. */
uint64_t digest_random_below(uint64_t below)
{
    uint64_t limit, r;

    if (below <= 1)
        return 0;
    limit = UINT64_MAX - UINT64_MAX % below;
    do
        digest_random(&r, sizeof(r));
    while (r >= limit);
    return r % below;
}

double digest_jitter(double low, double high)
{
    return low + (high - low) * ((double)digest_random_below(UINT64_C(1) << 53) / (double)(UINT64_C(1) << 53));
}

/* An algorithm is looked up once: that takes as long as hashing a short text. */
static void hash(EVP_MD **found, const char *name, const void *data, size_t len, unsigned char *out)
{
    if (!*found)
        *found = EVP_MD_fetch(NULL, name, NULL);
    if (!*found || EVP_Digest(data, len, out, NULL, *found, NULL) != 1)
        fatal("hash");
}

void digest_sha256(const void *data, size_t len, unsigned char out[DIGEST_SHA256_LEN])
{
    static EVP_MD *found;

    hash(&found, "SHA256", data, len, out);
}

void digest_sha1(const void *data, size_t len, unsigned char out[DIGEST_SHA1_LEN])
{
    static EVP_MD *found;

    hash(&found, "SHA1", data, len, out);
}

void digest_sha512(const void *data, size_t len, unsigned char out[DIGEST_SHA512_LEN])
{
    static EVP_MD *found;

    hash(&found, "SHA512", data, len, out);
}

void digest_md5(const void *data, size_t len, unsigned char out[DIGEST_MD5_LEN])
{
    static EVP_MD *found;

    hash(&found, "MD5", data, len, out);
}

void digest_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, unsigned char out[DIGEST_SHA256_LEN])
{
    static const unsigned char none[1];

    if (!HMAC(EVP_sha256(), key_len ? key : none, (int)key_len, data, len, out, NULL))
        fatal("hmac");
}

void digest_hkdf_sha256(const void *secret, size_t secret_len, const void *salt, size_t salt_len, const void *info,
                        size_t info_len, unsigned char out[DIGEST_SHA256_LEN])
{
    unsigned char key[DIGEST_SHA256_LEN], block[DIGEST_INFO_MOST + 1];

    if (info_len > DIGEST_INFO_MOST)
        fatal("hkdf");
    digest_hmac_sha256(salt, salt_len, secret, secret_len, key);
    memcpy(block, info, info_len);
    block[info_len] = 1; /* the number of the block */
    digest_hmac_sha256(key, sizeof(key), block, info_len + 1, out);
    mem_wipe(key, sizeof(key));
}

void digest_hex(const unsigned char *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[data[i] >> 4];
        *out++ = digits[data[i] & 15];
    }
    *out = '\0';
}
