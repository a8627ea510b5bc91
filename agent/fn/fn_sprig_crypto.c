/* Passwords and encryption. Source: sprig, golang.org/x/crypto. */
#include <string.h>

#include "base/base64.h"
#include "base/cipher.h"
#include "base/digest.h"
#include "base/limits.h"
#include "fn/fn.h"
#include "go/decode64.h"

/* What one call takes on a machine of today, in milliseconds. */
enum { BCRYPT_MS = 50, SCRYPT_MS = 180 };

/* ----------------------------------------------------------------------------------------------------------- bcrypt */

/*
 * What libxcrypt's crypt_rn() calls for "$2b$". Through the front door all of its twenty methods would be linked, 170 KB of them,
 * for this one.
 */
void _crypt_crypt_bcrypt_rn(const char *phrase, size_t phrase_size, const char *setting, size_t setting_size,
                            unsigned char *output, size_t output_size, void *scratch, size_t scratch_size);

#define SETTING    "$2b$10$" /* the method, and the cost that Go calls the default */
#define SALT_BYTES 16
#define SALT_LEN   22
#define HASH_LEN   60
#define MOST_BYTES 72 /* of a password */

/* The alphabet of bcrypt, bits from the high end on. */
static void encode_salt(const unsigned char salt[SALT_BYTES], char out[SALT_LEN + 1])
{
    static const char digits[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    for (size_t i = 0; i < SALT_LEN; i++) {
        size_t bit = i * 6, byte = bit / 8;
        unsigned pair = (unsigned)salt[byte] << 8 | (byte + 1 < SALT_BYTES ? salt[byte + 1] : 0);

        out[i] = digits[pair >> (10 - bit % 8) & 63];
    }
    out[SALT_LEN] = '\0';
}

/* The hash, or what sprig says instead. Passwords are C strings to libxcrypt, so a zero byte, which Go hashes, is refused. */
static int add_bcrypt(struct call *call, struct str password, struct buf *text)
{
    unsigned char salt[SALT_BYTES], scratch[8192] __attribute__((aligned(16)));
    char setting[sizeof(SETTING) + SALT_LEN] = SETTING, hash[HASH_LEN + 1] = "", plain[MOST_BYTES + 1] = "";

    if (password.len > MOST_BYTES) {
        buf_adds(text, "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes");
        return 0;
    }
    if (password.len > 0 && memchr(password.data, '\0', password.len))
        return err_set(call->err, ERR_INPUT, "a password with a zero byte cannot be hashed");
    if (fn_spend(call, BCRYPT_MS) != 0)
        return -1;
    digest_random(salt, sizeof(salt));
    encode_salt(salt, setting + sizeof(SETTING) - 1);
    memcpy(plain, password.data, password.len);
    _crypt_crypt_bcrypt_rn(plain, password.len, setting, sizeof(setting) - 1, (unsigned char *)hash, sizeof(hash), scratch,
                           sizeof(scratch));
    mem_wipe(plain, sizeof(plain));
    mem_wipe(scratch, sizeof(scratch));
    if (strlen(hash) != HASH_LEN || memcmp(hash, SETTING, sizeof(SETTING) - 1) != 0)
        return err_set(call->err, ERR_SYSTEM, "bcrypt failed in libxcrypt");
    hash[2] = 'a'; /* Go's name for the same method */
    buf_adds(text, hash);
    return 0;
}

static int body_bcrypt(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    return add_bcrypt(call, call->argv[0].s, text) != 0 ? -1 : fn_return_buf(call, text, ret);
}

static int body_htpasswd(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str user = call->argv[0].s;
    bool valid = user.len == 0 || !memchr(user.data, ':', user.len);

    buf_adds(text, valid ? "" : "invalid username: ");
    buf_add(text, user.data, user.len);
    buf_adds(text, valid ? ":" : "");
    if (valid && add_bcrypt(call, call->argv[1].s, text) != 0)
        return -1;
    return fn_return_buf(call, text, ret);
}

/* ------------------------------------------------------------------------------------------------ derived passwords */

/* Spectre's (Master Password's) templates: each letter is a class of characters. */
static const struct {
    const char *name, *const *templates;
    size_t count;
} sorts[] = {
#define SORT(name, ...)                                                                                       \
    {                                                                                                         \
        name, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *) \
    }
    SORT("maximum", "anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"),
    SORT("long", "CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv", "CvccCvcvnoCvcv", "CvccCvcvCvcvno",
         "CvcvnoCvccCvcv", "CvcvCvccnoCvcv", "CvcvCvccCvcvno", "CvcvnoCvcvCvcc", "CvcvCvcvnoCvcc", "CvcvCvcvCvccno",
         "CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno", "CvcvnoCvccCvcc", "CvcvCvccnoCvcc", "CvcvCvccCvccno",
         "CvccnoCvcvCvcc", "CvccCvcvnoCvcc", "CvccCvcvCvccno"),
    SORT("medium", "CvcnoCvc", "CvcCvcno"),
    SORT("short", "Cvcn"),
    SORT("basic", "aaanaaan", "aannaaan", "aaannaaa"),
    SORT("pin", "nnnn"),
#undef SORT
};

static const struct {
    char letter;
    const char *characters;
} classes[] = {
    {'V', "AEIOU"},
    {'C', "BCDFGHJKLMNPQRSTVWXYZ"},
    {'v', "aeiou"},
    {'c', "bcdfghjklmnpqrstvwxyz"},
    {'a', "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"},
    {'n', "0123456789"},
    {'o', "@&%?,=[]_:-+*$#!'^~;()/."},
    {'x', "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()"},
};

static char character(char letter, unsigned char random)
{
    size_t i = 0;

    while (classes[i].letter != letter)
        i++;
    return classes[i].characters[random % strlen(classes[i].characters)];
}

static void add_uint32(struct buf *buf, uint32_t u)
{
    const unsigned char bytes[] = {(unsigned char)(u >> 24), (unsigned char)(u >> 16), (unsigned char)(u >> 8), (unsigned char)u};

    buf_add(buf, bytes, sizeof(bytes));
}

/* The algorithm's name, the length of the text, and the text. */
static void start_seed(struct buf *buf, struct str text)
{
    buf_init_secret(buf, LIMIT_OUTPUT_BYTES);
    buf_adds(buf, "com.lyndir.masterpassword");
    add_uint32(buf, (uint32_t)text.len);
    buf_add(buf, text.data, text.len);
}

/* [COUNTER, SORT, PASSWORD, USER, SITE] → 32 bytes that only depend on them. */
static int derive(struct call *call, unsigned char seed[DIGEST_SHA256_LEN])
{
    static const struct cipher_scrypt cost = {32768, 8, 2};
    _cleanup_buf_ struct buf salt, message;
    struct str password = call->argv[2].s;
    unsigned char key[64];

    start_seed(&salt, call->argv[3].s);
    start_seed(&message, call->argv[4].s);
    if (fn_spend(call, SCRYPT_MS) != 0)
        return -1;
    add_uint32(&message, (uint32_t)call->argv[0].u);
    if (cipher_scrypt(&cost, password.data, password.len, salt.data, salt.len, key, sizeof(key), call->err) != 0)
        return -1;
    digest_hmac_sha256(key, sizeof(key), message.data, message.len, seed);
    mem_wipe(key, sizeof(key));
    return 0;
}

static int body_derive_password(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str name = call->argv[1].s;
    unsigned char seed[DIGEST_SHA256_LEN];
    const char *template;
    size_t i = 0;

    while (i < ARRAY_LEN(sorts) && !str_eqs(name, sorts[i].name))
        i++;
    if (i == ARRAY_LEN(sorts)) {
        buf_adds(text, "cannot find password template ");
        buf_add(text, name.data, name.len);
        return fn_return_buf(call, text, ret);
    }
    if (derive(call, seed) != 0)
        return -1;
    template = sorts[i].templates[seed[0] % sorts[i].count];
    for (size_t k = 0; template[k]; k++)
        buf_addc(text, character(template[k], seed[k + 1]));
    return fn_return_buf(call, text, ret);
}

/* -------------------------------------------------------------------------------------------------------------- AES */

/* The key is the password itself, cut or filled with zeros. */
static int crypt_blocks(struct call *call, bool encrypt, const unsigned char *iv, const void *data, size_t len,
                        unsigned char *out)
{
    struct str password = call->argv[0].s;
    unsigned char key[CIPHER_KEY] = {0};
    int result;

    memcpy(key, password.data, password.len < CIPHER_KEY ? password.len : CIPHER_KEY);
    result = cipher_aes_cbc(encrypt, key, iv, data, len, out, call->err);
    mem_wipe(key, sizeof(key));
    return result;
}

/* A random block and the encrypted text, as Base 64. The padding says how long it is. */
static int body_encrypt(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct str plain = call->argv[1].s;
    size_t padding = CIPHER_BLOCK - plain.len % CIPHER_BLOCK, len = plain.len + padding;
    unsigned char *bytes;
    struct buf *text;

    if (plain.len == 0)
        return fn_return_part("", 0, ret);
    bytes = arena_alloc(call->arena, CIPHER_BLOCK + len, call->err);
    if (!bytes)
        return -1;
    digest_random(bytes, CIPHER_BLOCK);
    memcpy(bytes + CIPHER_BLOCK, plain.data, plain.len);
    memset(bytes + CIPHER_BLOCK + plain.len, (int)padding, padding);
    if (crypt_blocks(call, true, bytes, bytes + CIPHER_BLOCK, len, bytes + CIPHER_BLOCK) != 0)
        return -1;
    text = fn_scratch(call, &own);
    base64_encode(bytes, CIPHER_BLOCK + len, text);
    return fn_return_buf(call, text, ret);
}

/* Where sprig runs over the end of a slice, Go's words for that. */
static int check_encrypted(struct call *call, size_t len)
{
    size_t room = call->argv[1].s.len / 4 * 3;

    if (room < CIPHER_BLOCK)
        return err_set(call->err, ERR_INPUT, "runtime error: slice bounds out of range [:%d] with capacity %zu", CIPHER_BLOCK,
                       room);
    if (len < CIPHER_BLOCK)
        return err_set(call->err, ERR_INPUT, "runtime error: slice bounds out of range [%d:%zu]", CIPHER_BLOCK, len);
    if (len % CIPHER_BLOCK != 0)
        return err_set(call->err, ERR_INPUT, "crypto/cipher: input not full blocks");
    if (len == CIPHER_BLOCK)
        return err_set(call->err, ERR_INPUT, "runtime error: index out of range [-1]");
    return 0;
}

static int body_decrypt(struct call *call, struct val *ret)
{
    struct val decoded;
    unsigned char *plain;
    size_t len, padding;

    if (call->argv[1].s.len == 0)
        return fn_return_part("", 0, ret);
    if (decode64(call->arena, call->argv[1].s, &decoded, call->err) != 0 || check_encrypted(call, decoded.s.len) != 0)
        return -1;
    len = decoded.s.len - CIPHER_BLOCK;
    plain = arena_alloc(call->arena, len + 1, call->err);
    if (!plain ||
        crypt_blocks(call, false, (const unsigned char *)decoded.s.data, decoded.s.data + CIPHER_BLOCK, len, plain) != 0)
        return -1;
    padding = plain[len - 1];
    if (padding > len)
        return err_set(call->err, ERR_INPUT, "runtime error: slice bounds out of range [:-%zu]", padding - len);
    *ret = val_str((const char *)plain, len - padding);
    return 0;
}

static const struct func rows[] = {
    {"sprig_bcrypt", "s", body_bcrypt, "PASSWORD", "The bcrypt hash of a password of at most 72 bytes."},
    {"sprig_decryptAES", "ss", body_decrypt, "PASSWORD TEXT", "The text that sprig_encryptAES encrypted.", COST_SLOW},
    {"sprig_derivePassword", "ussss", body_derive_password, "COUNTER SORT PASSWORD USER SITE",
     "A password that only depends on the arguments; SORT: maximum long medium short basic pin."},
    {"sprig_encryptAES", "ss", body_encrypt, "PASSWORD TEXT", "The text encrypted by AES-256 in CBC mode, as Base 64.",
     COST_SLOW},
    {"sprig_htpasswd", "ss", body_htpasswd, "USER PASSWORD", "A line for a file of htpasswd, hashed by bcrypt."},
};

const struct func_table fn_sprig_crypto = {rows, ARRAY_LEN(rows)};
