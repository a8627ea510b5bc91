#include "tls/x509.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/limits.h"
#include "base/pem.h"
#include "tls/verify.h"
#include "tls/x509_read.h"

#define LABEL 64 /* "CERTIFICATE REQUEST" and its like */

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

static int read_certificate(struct x509_block *block, const struct buf *der, struct err *err)
{
    X509 *certificate = x509_read_der(der);
    int rc = -1;

    if (certificate && time_ms(X509_get0_notBefore(certificate), &block->not_before) == 0 &&
        time_ms(X509_get0_notAfter(certificate), &block->not_after) == 0)
        rc = 0;
    if (rc == 0)
        block->is_ca =
            (X509_get_extension_flags(certificate) & EXFLAG_BCONS) && (X509_get_extension_flags(certificate) & EXFLAG_CA);
    X509_free(certificate);
    ERR_clear_error();
    return rc == 0 ? 0 : err_set(err, ERR_INPUT, "a certificate does not parse");
}

static enum x509_kind kind_of(struct str label)
{
    if (str_eqs(label, "CERTIFICATE"))
        return X509_CERTIFICATE;
    return str_has_suffix(label, "PRIVATE KEY") ? X509_PRIVATE_KEY : X509_OTHER;
}

/* Written anew, so that equal ones are equal text. */
static int take(struct x509_block *block, const struct pem *found, const struct buf *der, struct err *err)
{
    char label[LABEL + 1];

    snprintf(label, sizeof(label), "%.*s", (int)found->label.len, found->label.data);
    block->kind = kind_of(found->label);
    if (block->kind == X509_CERTIFICATE && read_certificate(block, der, err) != 0)
        return -1;
    buf_init_secret(&block->pem, LIMIT_REPLY_BYTES);
    pem_add(&block->pem, label, der->data, der->len);
    return 1;
}

/* From the next BEGIN to the dashes behind the END that follows, wherever in a line they stand: consul-template's nextPem. */
static struct str clip(const struct cursor *text)
{
    const char *at = text->p, *begin = memmem(at, (size_t)(text->end - at), "-----BEGIN", 10);
    const char *end = begin ? memmem(begin, (size_t)(text->end - begin), "-----END", 8) : NULL;
    const char *dashes = end ? memmem(end + 8, (size_t)(text->end - end) - 8, "-----", 5) : NULL;

    return dashes ? (struct str){begin, (size_t)(dashes + 5 - begin)} : (struct str){0};
}

int x509_next(struct cursor *text, struct x509_block *ret, struct err *err)
{
    struct x509_block block = {0};
    struct str rest = {0};
    _cleanup_buf_ struct buf der = {0};
    struct pem found = {.whole = false};
    size_t line = 1;
    int rc;

    if (text->p == text->end || (size_t)(text->end - text->p) > LIMIT_OUTPUT_BYTES)
        return 0;
    rest = clip(text);
    buf_init_secret(&der, LIMIT_REPLY_BYTES);
    while (!found.whole && pem_next(&rest, &line, &found, &der))
        continue; /* a BEGIN before the one that counts */
    if (buf_check(&der, "PEM block", err) != 0)
        return -1;
    if (!found.whole || found.label.len > LABEL)
        return 0;
    rc = take(&block, &found, &der, err);
    if (rc != 1)
        return rc;
    text->p = rest.data;
    *ret = block;
    return 1;
}

int x509_check_issuer(const char *pem, const char *issuer_pem, struct err *err)
{
    X509 *certificate = x509_read(str_of(pem)), *issuer = x509_read(str_of(issuer_pem));
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
    X509 *certificate = x509_read(str_of(pem));
    bool is = certificate && verify_names(certificate, name);

    X509_free(certificate);
    ERR_clear_error();
    return is;
}

bool x509_is_called(const char *pem, const char *name)
{
    X509 *certificate = x509_read(str_of(pem));
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
    X509 *certificate = x509_read(str_of(pem));
    EVP_PKEY *key = x509_read_private(str_of(key_pem));
    bool fits = certificate && key && X509_check_private_key(certificate, key) == 1;

    EVP_PKEY_free(key);
    X509_free(certificate);
    ERR_clear_error();
    return fits;
}
