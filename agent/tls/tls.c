#include "tls/tls.h"

#include <arpa/inet.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "tls/tls_openssl.h"
#include "tls/x509_read.h"

enum { ES256_HALF = 32, BACKDATE_S = 3600, SERIAL_BYTES = 16 };

struct tls_key {
    EVP_PKEY *pkey;
};

static void cleanup_md_ctx(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}
static void cleanup_ecdsa(ECDSA_SIG **sig)
{
    ECDSA_SIG_free(*sig);
}
static void cleanup_bn(BIGNUM **bn)
{
    BN_free(*bn);
}
static void cleanup_ossl(unsigned char **p)
{
    OPENSSL_free(*p);
}
#define _cleanup_md_ctx_ _cleanup_(cleanup_md_ctx)
#define _cleanup_ecdsa_  _cleanup_(cleanup_ecdsa)
#define _cleanup_bn_     _cleanup_(cleanup_bn)
#define _cleanup_ossl_   _cleanup_(cleanup_ossl)

static int key_wrap(EVP_PKEY *pkey, struct tls_key **ret)
{
    struct tls_key *key = mem_alloc(sizeof(*key));

    key->pkey = pkey;
    *ret = key;
    return 0;
}

int tls_key_new(enum tls_key_kind kind, struct tls_key **ret, struct err *err)
{
    EVP_PKEY *pkey = kind == TLS_KEY_RSA ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");

    if (!pkey)
        return tls_fail(err, ERR_SYSTEM, "making a key");
    return key_wrap(pkey, ret);
}

static EVP_PKEY *read_certificate(struct str pem)
{
    _cleanup_x509_ X509 *cert = x509_read(pem);

    return cert ? X509_get_pubkey(cert) : NULL;
}

static int key_supported(const EVP_PKEY *pkey)
{
    if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA)
        return EVP_PKEY_get_bits(pkey) >= 2048;
    return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC && EVP_PKEY_get_bits(pkey) == 256;
}

int tls_key_load(const char *pem, size_t len, struct tls_key **ret, struct err *err)
{
    static EVP_PKEY *(*const readers[])(struct str) = {x509_read_private, x509_read_public, read_certificate};
    _cleanup_pkey_ EVP_PKEY *pkey = NULL;

    if (len > INT_MAX)
        return err_set(err, ERR_LIMIT, "key: %zu bytes are too long for a PEM file", len);
    for (size_t i = 0; i < ARRAY_LEN(readers) && !pkey; i++)
        pkey = readers[i]((struct str){pem, len});
    if (!pkey)
        return err_set(err, ERR_INPUT, "key: no unencrypted PEM key or certificate in %zu bytes", len);
    if (!key_supported(pkey))
        return err_set(err, ERR_INPUT, "key: only RSA of 2048 bits and more, and P-256, are supported");
    return key_wrap(steal(pkey), ret);
}

void tls_key_free(struct tls_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    mem_free(key);
}

void tls_key_cleanup(struct tls_key **key)
{
    tls_key_free(*key);
}

static int bio_take(BIO *bio, struct buf *out, struct err *err)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);

    buf_add(out, data, len > 0 ? (size_t)len : 0);
    return buf_check(out, "PEM", err);
}

int tls_key_private_pem(const struct tls_key *key, struct buf *out, struct err *err)
{
    _cleanup_bio_ BIO *bio = BIO_new(BIO_s_secmem());

    if (!bio || PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
        return tls_fail(err, ERR_SYSTEM, "writing a private key");
    return bio_take(bio, out, err);
}

int tls_key_public_pem(const struct tls_key *key, struct buf *out, struct err *err)
{
    _cleanup_bio_ BIO *bio = BIO_new(BIO_s_mem());

    if (!bio || PEM_write_bio_PUBKEY(bio, key->pkey) != 1)
        return tls_fail(err, ERR_SYSTEM, "writing a public key");
    return bio_take(bio, out, err);
}

int tls_key_digest(const struct tls_key *key, unsigned char out[DIGEST_SHA256_LEN], struct err *err)
{
    _cleanup_ossl_ unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->pkey, &der);

    if (len < 0)
        return tls_fail(err, ERR_SYSTEM, "encoding a public key");
    digest_sha256(der, (size_t)len, out);
    return 0;
}

static int number_add(const struct tls_key *key, const char *name, struct buf *out, struct err *err)
{
    _cleanup_bn_ BIGNUM *bn = NULL;
    char *room;
    size_t len;

    if (EVP_PKEY_get_bn_param(key->pkey, name, &bn) != 1)
        return tls_fail(err, ERR_INPUT, "reading the numbers of an RSA key");
    len = (size_t)BN_num_bytes(bn);
    room = buf_room(out, len);
    if (room) {
        BN_bn2bin(bn, (unsigned char *)room);
        out->len += len;
    }
    return buf_check(out, "key", err);
}

int tls_key_rsa_numbers(const struct tls_key *key, struct buf *n, struct buf *e, struct err *err)
{
    if (number_add(key, OSSL_PKEY_PARAM_RSA_N, n, err) != 0)
        return -1;
    return number_add(key, OSSL_PKEY_PARAM_RSA_E, e, err);
}

static bool key_is_ec(const struct tls_key *key)
{
    return EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_EC;
}

const char *tls_key_algorithm(const struct tls_key *key)
{
    return key_is_ec(key) ? "ES256" : "RS256";
}

/* OpenSSL speaks DER, JWS wants r and s side by side. */
static int ecdsa_to_raw(const unsigned char *der, size_t len, struct buf *out, struct err *err)
{
    _cleanup_ecdsa_ ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    unsigned char raw[2 * ES256_HALF];

    if (!sig || BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, ES256_HALF) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + ES256_HALF, ES256_HALF) < 0)
        return tls_fail(err, ERR_SYSTEM, "signing");
    buf_add(out, raw, sizeof(raw));
    return 0;
}

static int ecdsa_from_raw(const unsigned char *raw, size_t len, unsigned char **ret_der)
{
    _cleanup_ecdsa_ ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r, *s;

    if (!sig || len != 2 * ES256_HALF)
        return -1;
    r = BN_bin2bn(raw, ES256_HALF, NULL);
    s = BN_bin2bn(raw + ES256_HALF, ES256_HALF, NULL);
    if (!r || !s || ECDSA_SIG_set0(sig, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return -1;
    }
    return i2d_ECDSA_SIG(sig, ret_der);
}

int tls_key_sign(const struct tls_key *key, const void *data, size_t len, struct buf *out, struct err *err)
{
    _cleanup_md_ctx_ EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char sig[1024]; /* RSA of 8192 bits */
    size_t sig_len = sizeof(sig);

    if (!ctx || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) != 1 ||
        EVP_DigestSign(ctx, sig, &sig_len, data, len) != 1)
        return tls_fail(err, ERR_SYSTEM, "signing");
    if (key_is_ec(key)) {
        if (ecdsa_to_raw(sig, sig_len, out, err) != 0)
            return -1;
    } else
        buf_add(out, sig, sig_len);
    return buf_check(out, "signature", err);
}

int tls_key_verify(const struct tls_key *key, const void *data, size_t len, const void *sig, size_t sig_len, struct err *err)
{
    _cleanup_md_ctx_ EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    _cleanup_ossl_ unsigned char *der = NULL;
    int der_len, ok;

    if (key_is_ec(key)) {
        der_len = ecdsa_from_raw(sig, sig_len, &der);
        if (der_len < 0)
            return err_set(err, ERR_DENIED, "signature: not the form of ES256");
        sig = der;
        sig_len = (size_t)der_len;
    }
    ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
         EVP_DigestVerify(ctx, sig, sig_len, data, len) == 1;
    ERR_clear_error();
    return ok ? 0 : err_set(err, ERR_DENIED, "signature: made by another key, or the text was changed");
}

/* ----------------------------------------------------------------------------------------------------- certificates */

static int cert_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    int ok;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (!ext)
        return -1;
    ok = X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    return ok == 1 ? 0 : -1;
}

/* Names are put in as objects, not through OpenSSL's configuration syntax, where a comma in a name would start another one. */
static int san_add(GENERAL_NAMES *names, const char *san)
{
    unsigned char ip[16];
    bool v4 = inet_pton(AF_INET, san, ip) == 1, v6 = !v4 && inet_pton(AF_INET6, san, ip) == 1;
    ASN1_STRING *text = v4 || v6 ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    GENERAL_NAME *name = GENERAL_NAME_new();

    if (!text || !name ||
        ASN1_STRING_set(text, v4 || v6 ? (const char *)ip : san,
                        v4   ? 4
                        : v6 ? 16
                             : -1) != 1 ||
        sk_GENERAL_NAME_push(names, name) <= 0) {
        ASN1_STRING_free(text);
        GENERAL_NAME_free(name);
        return -1;
    }
    GENERAL_NAME_set0_value(name, v4 || v6 ? GEN_IPADD : GEN_DNS, text);
    return 0;
}

static int cert_add_sans(X509 *cert, const struct tls_cert_spec *spec)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    int r = names ? 0 : -1;

    for (size_t i = 0; i < spec->san_count && r == 0; i++)
        r = san_add(names, spec->sans[i]);
    if (r == 0 && spec->san_count)
        r = X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1 ? 0 : -1;
    GENERAL_NAMES_free(names);
    return r;
}

static int cert_extensions(X509 *cert, X509 *issuer, const struct tls_cert_spec *spec)
{
    const struct {
        int nid;
        const char *value;
    } rows[] = {
        {NID_basic_constraints, spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE"},
        {NID_key_usage, spec->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature,keyEncipherment"},
        {NID_ext_key_usage, spec->ca ? NULL : "serverAuth,clientAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid,issuer"}, /* by name where a foreign issuer has no key identifier */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].value && cert_extend(cert, issuer, rows[i].nid, rows[i].value) < 0)
            return -1;
    return cert_add_sans(cert, spec);
}

static int cert_subject(X509 *cert, X509 *issuer, const struct tls_cert_spec *spec)
{
    X509_NAME *name = X509_get_subject_name(cert);

    if (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)spec->name, -1, -1, 0) != 1)
        return -1;
    return X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 ? 0 : -1;
}

static int cert_serial(X509 *cert)
{
    unsigned char bytes[SERIAL_BYTES];
    _cleanup_bn_ BIGNUM *bn = NULL;

    digest_random(bytes, sizeof(bytes));
    bytes[0] &= 0x7f;
    bn = BN_bin2bn(bytes, sizeof(bytes), NULL);
    return bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)) ? 0 : -1;
}

int tls_cert_make(const struct tls_cert_spec *spec, const struct tls_key *key, struct buf *out, struct err *err)
{
    _cleanup_x509_ X509 *cert = X509_new();
    _cleanup_x509_ X509 *read = spec->issuer_pem ? x509_read(str_of(spec->issuer_pem)) : NULL;
    _cleanup_bio_ BIO *bio = BIO_new(BIO_s_mem());
    X509 *issuer = read ? read : cert;
    const struct tls_key *signer = spec->issuer_pem ? spec->issuer_key : key;

    if (spec->issuer_pem && !read)
        return tls_fail(err, ERR_INPUT, "reading the issuer's certificate");
    if (!cert || !bio || X509_set_version(cert, X509_VERSION_3) != 1 || cert_serial(cert) < 0 ||
        !X509_gmtime_adj(X509_getm_notBefore(cert), -BACKDATE_S) ||
        !X509_time_adj_ex(X509_getm_notAfter(cert), (int)spec->days, 0, NULL) || X509_set_pubkey(cert, key->pkey) != 1 ||
        cert_subject(cert, issuer, spec) < 0 || cert_extensions(cert, issuer, spec) < 0 ||
        X509_sign(cert, signer->pkey, EVP_sha256()) <= 0 || PEM_write_bio_X509(bio, cert) != 1)
        return tls_fail(err, ERR_INPUT, "making a certificate");
    return bio_take(bio, out, err);
}
