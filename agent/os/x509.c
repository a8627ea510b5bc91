#include "os/x509.h"

#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/limits.h"
#include "os/verify.h"

void x509_block_done(struct x509_block *block)
{
    buf_done(&block->pem);
}

static int time_ms(const ASN1_TIME *at, int64_t *ret)
{
    struct tm tm;

    if (!ASN1_TIME_to_tm(at, &tm))
        return -1;
    *ret = (int64_t)timegm(&tm) * 1000;
    return 0;
}

static int read_certificate(struct x509_block *block, const unsigned char *der, long len, struct err *err)
{
    X509 *certificate = d2i_X509(NULL, &der, len);
    int rc = -1;

    if (certificate && time_ms(X509_get0_notBefore(certificate), &block->not_before) == 0 &&
        time_ms(X509_get0_notAfter(certificate), &block->not_after) == 0)
        rc = 0;
    if (rc == 0)
        block->is_ca =
            (X509_get_extension_flags(certificate) & EXFLAG_BCONS) && (X509_get_extension_flags(certificate) & EXFLAG_CA);
    X509_free(certificate);
    return rc == 0 ? 0 : err_set(err, ERR_INPUT, "a certificate does not parse");
}

static void encode(struct x509_block *block, const char *name, const unsigned char *der, long len)
{
    BIO *out = BIO_new(BIO_s_secmem());
    char *text;
    long size;

    PEM_write_bio(out, name, "", der, len);
    size = BIO_get_mem_data(out, &text);
    buf_add(&block->pem, text, (size_t)size);
    BIO_free(out);
}

static enum x509_kind kind_of(const char *name)
{
    size_t len = strlen(name);
    static const char key[] = "PRIVATE KEY";

    if (strcmp(name, "CERTIFICATE") == 0)
        return X509_CERTIFICATE;
    if (len >= sizeof(key) - 1 && strcmp(name + len - (sizeof(key) - 1), key) == 0)
        return X509_PRIVATE_KEY;
    return X509_OTHER;
}

/* One block by OpenSSL's own scanner. */
static int read_block(BIO *in, struct x509_block *block, struct err *err)
{
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    int rc = 0;

    if (!PEM_read_bio(in, &name, &header, &der, &len))
        return 0;
    block->kind = kind_of(name);
    if (block->kind != X509_CERTIFICATE || read_certificate(block, der, len, err) == 0) {
        encode(block, name, der, len);
        rc = 1;
    } else {
        rc = -1;
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, (size_t)len);
    return rc;
}

int x509_next(struct cur *text, struct x509_block *ret, struct err *err)
{
    struct x509_block block = {0};
    size_t len = (size_t)(text->end - text->p);
    /* OpenSSL finds blocks at the start of a line only; files hold them anywhere. */
    const char *begin = len ? memmem(text->p, len, "-----BEGIN ", 11) : NULL;
    BIO *in;
    int rc;

    if (!begin || len > LIMIT_OUTPUT_BYTES)
        return 0;
    in = BIO_new_mem_buf(begin, (int)(text->end - begin));
    buf_init_secret(&block.pem, LIMIT_REPLY_BYTES);
    rc = read_block(in, &block, err);
    if (rc == 1) {
        text->p = text->end - BIO_pending(in);
        *ret = block;
    } else {
        x509_block_done(&block);
    }
    BIO_free(in);
    ERR_clear_error(); /* a missing block is no error of ours */
    return rc;
}

static X509 *first_certificate(const char *pem)
{
    BIO *in = BIO_new_mem_buf(pem, -1);
    X509 *certificate = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

    BIO_free(in);
    ERR_clear_error();
    return certificate;
}

int x509_check_issuer(const char *pem, const char *issuer_pem, struct err *err)
{
    X509 *certificate = first_certificate(pem), *issuer = first_certificate(issuer_pem);
    EVP_PKEY *key = issuer ? X509_get0_pubkey(issuer) : NULL;
    bool readable = certificate && key, signed_by = readable && X509_verify(certificate, key) == 1;

    X509_free(certificate);
    X509_free(issuer);
    ERR_clear_error();
    if (!readable)
        return err_set(err, ERR_INPUT, "a certificate does not parse");
    return signed_by ? 0 : err_set(err, ERR_DENIED, "a certificate was signed by another authority");
}

bool x509_is_for(const char *pem, const char *name)
{
    X509 *certificate = first_certificate(pem);
    bool is = certificate && verify_names(certificate, name);

    X509_free(certificate);
    ERR_clear_error();
    return is;
}

bool x509_is_called(const char *pem, const char *name)
{
    X509 *certificate = first_certificate(pem);
    X509_NAME *subject = certificate ? X509_get_subject_name(certificate) : NULL;
    int at = subject ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
    unsigned char *text = NULL;
    int len = at < 0 ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    bool is = len >= 0 && (size_t)len == strlen(name) && strncasecmp((const char *)text, name, (size_t)len) == 0;

    OPENSSL_free(text);
    X509_free(certificate);
    ERR_clear_error();
    return is;
}

bool x509_fits(const char *pem, const char *key_pem)
{
    X509 *certificate = first_certificate(pem);
    BIO *in = BIO_new_mem_buf(key_pem, -1);
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, NULL) : NULL;
    bool fits = certificate && key && X509_check_private_key(certificate, key) == 1;

    EVP_PKEY_free(key);
    BIO_free(in);
    X509_free(certificate);
    ERR_clear_error();
    return fits;
}
