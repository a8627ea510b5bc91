#include "go/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/limits.h"
#include "base/pem.h"
#include "go/der.h"

#define RSA_BITS_LEAST 1024 /* Go refuses to sign with less */

struct key {
    EVP_PKEY *pkey; /* NULL: one that can only be read */
    enum key_kind kind;
};

#define OID_RSA        "\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01"
#define OID_RSA_SHA256 "\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0B"
#define OID_EC         "\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01"
#define OID_ED25519    "\x06\x03\x2B\x65\x70"

/* Elliptic curves that Go knows. */
static const struct curve {
    const char *name; /* OpenSSL's */
    size_t width;     /* of a coordinate, in bytes */
    struct str oid, signature_oid;
    const EVP_MD *(*digest)(void);
} curves[] = {
    {"secp224r1", 28, STR("\x06\x05\x2B\x81\x04\x00\x21"), STR("\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02"), EVP_sha256},
    {"prime256v1", 32, STR("\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07"), STR("\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02"),
     EVP_sha256},
    {"secp384r1", 48, STR("\x06\x05\x2B\x81\x04\x00\x22"), STR("\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x03"), EVP_sha384},
    {"secp521r1", 66, STR("\x06\x05\x2B\x81\x04\x00\x23"), STR("\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x04"), EVP_sha512},
};

static void add_literal(struct buf *buf, struct str s)
{
    buf_add(buf, s.data, s.len);
}

/* libcrypto's own queue of errors must not be found by who asks it next. */
static int fail(struct err *err, const char *what)
{
    ERR_clear_error();
    return err_set(err, ERR_INPUT, "%s", what);
}

/* ---------------------------------------------------------------------------------------------------- life of a key */

void key_free(struct key *key)
{
    if (key)
        EVP_PKEY_free(key->pkey);
    mem_free(key);
}

void key_cleanup(struct key **key)
{
    key_free(*key);
}

enum key_kind key_kind(const struct key *key)
{
    return key->kind;
}

unsigned key_bits(const struct key *key)
{
    return key->pkey ? (unsigned)EVP_PKEY_get_bits(key->pkey) : 0;
}

static enum key_kind kind_of(const EVP_PKEY *pkey)
{
    switch (EVP_PKEY_get_base_id(pkey)) {
    case EVP_PKEY_RSA:
        return KEY_RSA;
    case EVP_PKEY_EC:
        return KEY_EC;
    case EVP_PKEY_ED25519:
        return KEY_ED25519;
    default:
        return KEY_OTHER;
    }
}

/* Takes the pkey. */
static struct key *wrap(EVP_PKEY *pkey, enum key_kind kind)
{
    struct key *key = mem_alloc(sizeof(*key));

    *key = (struct key){pkey, kind};
    return key;
}

int key_make(enum key_kind kind, unsigned bits, struct key **ret, struct err *err)
{
    EVP_PKEY *pkey = kind == KEY_RSA  ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits)
                     : kind == KEY_EC ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                                      : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    if (!pkey)
        return fail(err, "libcrypto makes no key");
    *ret = wrap(pkey, kind);
    return 0;
}

/* NULL: one that Go does not know, or one that is not given by its name. */
static const struct curve *curve_of(const struct key *key)
{
    char name[32], encoding[32];

    if (EVP_PKEY_get_group_name(key->pkey, name, sizeof(name), NULL) != 1 ||
        EVP_PKEY_get_utf8_string_param(key->pkey, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof(encoding), NULL) != 1 ||
        strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        if (strcmp(name, curves[i].name) == 0)
            return &curves[i];
    }
    return NULL;
}

static int check_size(const EVP_PKEY *pkey, struct err *err)
{
    if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA && EVP_PKEY_get_bits(pkey) > LIMIT_RSA_BITS)
        return err_set(err, ERR_LIMIT, "an RSA key of more than %d bits", LIMIT_RSA_BITS);
    return 0;
}

/* DSA: a sequence of six numbers; nothing here makes use of one. */
static bool is_dsa(const struct buf *der)
{
    const unsigned char *data = (const unsigned char *)der->data, *inner, *number;
    size_t len = der->len, inner_len, number_len, count = 0;
    unsigned tag;

    if (!der_next(&data, &len, &tag, &inner, &inner_len) || tag != DER_SEQUENCE)
        return false;
    while (der_next(&inner, &inner_len, &tag, &number, &number_len) && tag == DER_INTEGER)
        count++;
    return count == 6;
}

/* Traditional forms say what they are by their label. */
static const struct {
    const char *label;
    int type;
    const char *wrong;
} forms[] = {
    {"RSA PRIVATE KEY", EVP_PKEY_RSA, "parsing RSA private key from PEM: x509: failed to parse private key"},
    {"EC PRIVATE KEY", EVP_PKEY_EC, "parsing EC private key from PEM: x509: failed to parse EC private key"},
};

static EVP_PKEY *read_eight(const struct buf *der)
{
    const unsigned char *data = (const unsigned char *)der->data;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &data, (long)der->len);
    EVP_PKEY *pkey = info ? EVP_PKCS82PKEY(info) : NULL;

    PKCS8_PRIV_KEY_INFO_free(info);
    return pkey;
}

/* A curve must be one of ours; what the key is refused for stands behind the words up to the first colon. */
static int check_curve(struct key **key, const char *wrong, struct err *err)
{
    if ((*key)->kind != KEY_EC || curve_of(*key))
        return 0;
    key_free(steal(*key));
    ERR_clear_error();
    return err_set(err, ERR_INPUT, "%.*s: x509: unknown elliptic curve", (int)(strchr(wrong, ':') - wrong), wrong);
}

static int adopt(EVP_PKEY *pkey, const char *wrong, struct key **ret, struct err *err)
{
    if (!pkey)
        return fail(err, wrong);
    if (check_size(pkey, err) != 0) {
        EVP_PKEY_free(pkey);
        return -1;
    }
    *ret = wrap(pkey, kind_of(pkey));
    return check_curve(ret, wrong, err);
}

static int fail_label(struct str label, struct err *err)
{
    return err_set(err, ERR_INPUT, "no private key data in PEM block of type %.*s", (int)label.len, label.data);
}

int key_read(struct str pem, bool redact, struct key **ret, struct err *err)
{
    _cleanup_buf_ struct buf der;
    const unsigned char *data;
    struct str label;

    buf_init_secret(&der, LIMIT_KEY_BYTES);
    if (!pem_first(pem, &label, &der))
        return fail(err, "no PEM data in input");
    if (str_eqs(label, "PRIVATE KEY"))
        return adopt(read_eight(&der), "decoding PEM as PKCS#8: x509: failed to parse private key", ret, err);
    if (!str_has_suffix(label, " PRIVATE KEY"))
        return fail_label(redact ? STR("[redacted]") : label, err);
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        data = (const unsigned char *)der.data;
        if (str_eqs(label, forms[i].label))
            return adopt(d2i_PrivateKey(forms[i].type, NULL, &data, (long)der.len), forms[i].wrong, ret, err);
    }
    if (!str_eqs(label, "DSA PRIVATE KEY"))
        return err_set(err, ERR_INPUT, "invalid private key type %.*s", (int)label.len, label.data);
    if (!is_dsa(&der))
        return fail(err, "parsing DSA private key from PEM: asn1: structure error");
    *ret = wrap(NULL, KEY_OTHER);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static int fail_curve(struct err *err)
{
    return fail(err, "x509: unsupported elliptic curve");
}

/* A number of the key as bytes, at least so many. */
static int number_of(const struct key *key, const char *name, size_t width, struct buf *bytes, struct err *err)
{
    BIGNUM *number = NULL;
    size_t len;
    char *room;

    if (EVP_PKEY_get_bn_param(key->pkey, name, &number) != 1)
        return fail(err, "a key without its numbers");
    len = (size_t)BN_num_bytes(number) > width ? (size_t)BN_num_bytes(number) : width;
    buf_cut(bytes, 0);
    room = buf_room(bytes, len);
    if (room)
        bytes->len = BN_bn2binpad(number, (unsigned char *)room, (int)len) > 0 ? len : 0;
    BN_clear_free(number);
    return buf_check(bytes, "a key", err);
}

static int add_numbers(const struct key *key, const char *const *names, size_t count, struct buf *buf, struct err *err)
{
    _cleanup_buf_ struct buf bytes;

    buf_init_secret(&bytes, LIMIT_KEY_BYTES);
    for (size_t i = 0; i < count; i++) {
        if (number_of(key, names[i], 0, &bytes, err) != 0 || buf_check(&bytes, "a key", err) != 0)
            return -1;
        der_add_number(buf, (const unsigned char *)bytes.data, bytes.len);
    }
    return 0;
}

static int add_rsa(const struct key *key, bool private, struct buf *buf, struct err *err)
{
    static const char *const names[] = {OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
                                        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
                                        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
                                        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    size_t sequence = der_open(buf, DER_SEQUENCE);

    if (private)
        der_add_number(buf, (const unsigned char *)"", 0); /* version 0 */
    if (add_numbers(key, names, private ? ARRAY_LEN(names) : 2, buf, err) != 0)
        return -1;
    der_close(buf, sequence);
    return 0;
}

enum { OCTETS_MAX = 256 }; /* of the points and seeds of any curve */

/* Bytes that the key has under a name: a point, a seed. */
static int octets_of(const struct key *key, const char *name, struct buf *bytes, struct err *err)
{
    unsigned char octets[OCTETS_MAX];
    size_t len = 0;

    if (EVP_PKEY_get_octet_string_param(key->pkey, name, octets, sizeof(octets), &len) != 1)
        return fail(err, "a key without its bytes");
    buf_add(bytes, octets, len);
    mem_wipe(octets, sizeof(octets));
    return 0;
}

/* SEC 1: version, number, [0] curve, [1] point */
static int add_ec(const struct key *key, struct buf *buf, struct err *err)
{
    const struct curve *curve = curve_of(key);
    _cleanup_buf_ struct buf number, point;
    size_t sequence = der_open(buf, DER_SEQUENCE), inner;

    buf_init_secret(&number, LIMIT_KEY_BYTES);
    buf_init_exact(&point, OCTETS_MAX);
    if (!curve)
        return fail_curve(err);
    if (number_of(key, OSSL_PKEY_PARAM_PRIV_KEY, curve->width, &number, err) != 0 ||
        octets_of(key, OSSL_PKEY_PARAM_PUB_KEY, &point, err) != 0)
        return -1;
    der_add_number(buf, (const unsigned char *)"\1", 1);
    der_add(buf, DER_OCTETS, number.data, number.len);
    inner = der_open(buf, DER_CONTEXT_IN);
    add_literal(buf, curve->oid);
    der_close(buf, inner);
    inner = der_open(buf, DER_CONTEXT_IN + 1);
    der_add_bits(buf, point.data, point.len);
    der_close(buf, inner);
    der_close(buf, sequence);
    return 0;
}

/* PKCS#8: version, algorithm, the seed as octets in octets */
static int add_ed25519(const struct key *key, struct buf *buf, struct err *err)
{
    _cleanup_buf_ struct buf seed;
    size_t sequence = der_open(buf, DER_SEQUENCE), inner;

    buf_init_exact(&seed, OCTETS_MAX);
    if (octets_of(key, OSSL_PKEY_PARAM_PRIV_KEY, &seed, err) != 0)
        return -1;
    der_add_number(buf, (const unsigned char *)"", 0);
    inner = der_open(buf, DER_SEQUENCE);
    add_literal(buf, STR(OID_ED25519));
    der_close(buf, inner);
    inner = der_open(buf, DER_OCTETS);
    der_add(buf, DER_OCTETS, seed.data, seed.len);
    der_close(buf, inner);
    der_close(buf, sequence);
    return 0;
}

int key_write(const struct key *key, struct buf *buf, struct err *err)
{
    static const char *const labels[] = {
        [KEY_RSA] = "RSA PRIVATE KEY", [KEY_EC] = "EC PRIVATE KEY", [KEY_ED25519] = "PRIVATE KEY"};
    _cleanup_buf_ struct buf der;

    buf_init_secret(&der, LIMIT_KEY_BYTES);
    if (key->kind == KEY_OTHER)
        return fail(err, "a key that can only be read");
    if ((key->kind == KEY_RSA  ? add_rsa(key, true, &der, err)
         : key->kind == KEY_EC ? add_ec(key, &der, err)
                               : add_ed25519(key, &der, err)) != 0 ||
        buf_check(&der, "a key", err) != 0)
        return -1;
    pem_add(buf, labels[key->kind], der.data, der.len);
    return 0;
}

/* -------------------------------------------------------------------------------------------------- the public part */

int key_add_public(const struct key *key, struct buf *buf, struct err *err)
{
    if (key->kind == KEY_RSA)
        return add_rsa(key, false, buf, err);
    return octets_of(key, OSSL_PKEY_PARAM_PUB_KEY, buf, err);
}

int key_add_public_info(const struct key *key, struct buf *buf, struct err *err)
{
    const struct curve *curve = key->kind == KEY_EC ? curve_of(key) : NULL;
    _cleanup_buf_ struct buf bits;
    size_t info = der_open(buf, DER_SEQUENCE), algorithm = der_open(buf, DER_SEQUENCE);

    buf_init(&bits, LIMIT_KEY_BYTES);
    if (key->kind == KEY_EC && !curve)
        return fail_curve(err);
    if (key_add_public(key, &bits, err) != 0 || buf_check(&bits, "a key", err) != 0)
        return -1;
    add_literal(buf, key->kind == KEY_RSA ? STR(OID_RSA) : key->kind == KEY_EC ? STR(OID_EC) : STR(OID_ED25519));
    if (key->kind == KEY_RSA)
        der_add(buf, DER_NULL, "", 0);
    else if (curve)
        add_literal(buf, curve->oid);
    der_close(buf, algorithm);
    der_add_bits(buf, bits.data, bits.len);
    der_close(buf, info);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- signing */

int key_check_signer(const struct key *key, struct err *err)
{
    if (key->kind == KEY_OTHER)
        return fail(err, "x509: certificate private key does not implement crypto.Signer");
    return 0;
}

int key_add_algorithm(const struct key *key, struct buf *buf, struct err *err)
{
    size_t sequence;

    if (key_check_signer(key, err) != 0)
        return -1;
    sequence = der_open(buf, DER_SEQUENCE);
    add_literal(buf, key->kind == KEY_RSA  ? STR(OID_RSA_SHA256)
                     : key->kind == KEY_EC ? curve_of(key)->signature_oid
                                           : STR(OID_ED25519));
    if (key->kind == KEY_RSA)
        der_add(buf, DER_NULL, "", 0);
    der_close(buf, sequence);
    return 0;
}

static int sign(EVP_MD_CTX *ctx, const struct key *key, const void *data, size_t len, struct buf *buf, struct err *err)
{
    const EVP_MD *digest = key->kind == KEY_RSA ? EVP_sha256() : key->kind == KEY_EC ? curve_of(key)->digest() : NULL;
    size_t room = (size_t)EVP_PKEY_get_size(key->pkey);
    char *out = buf_room(buf, room);

    if (!out)
        return buf_check(buf, "a signature", err);
    if (EVP_DigestSignInit(ctx, NULL, digest, NULL, key->pkey) != 1 ||
        EVP_DigestSign(ctx, (unsigned char *)out, &room, data, len) != 1)
        return fail(err, "libcrypto does not sign");
    buf->len += room;
    return 0;
}

int key_sign(const struct key *key, const void *data, size_t len, struct buf *buf, struct err *err)
{
    EVP_MD_CTX *ctx;
    int result;

    if (key_check_signer(key, err) != 0)
        return -1;
    if (key->kind == KEY_RSA && key_bits(key) < RSA_BITS_LEAST)
        return err_set(err, ERR_INPUT,
                       "crypto/rsa: %u-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)",
                       key_bits(key));
    ctx = EVP_MD_CTX_new();
    result = ctx ? sign(ctx, key, data, len, buf, err) : fail(err, "out of memory in libcrypto");
    EVP_MD_CTX_free(ctx);
    return result;
}
