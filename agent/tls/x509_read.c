#include "tls/x509_read.h"

#include <openssl/err.h>

#include "base/mem.h"
#include "base/pem.h"
#include "tls/tls_openssl.h"

static bool is_certificate(struct str label)
{
    return str_eqs(label, "CERTIFICATE");
}

static bool is_private(struct str label)
{
    return str_eqs(label, "PRIVATE KEY") || str_has_suffix(label, " PRIVATE KEY");
}

static bool is_public(struct str label)
{
    return str_eqs(label, "PUBLIC KEY");
}

/* The next whole block of a kind. */
static bool find(struct str *rest, bool (*is_kind)(struct str label), struct buf *der)
{
    struct pem block;
    size_t line = 1;

    buf_init_secret(der, rest->len + 1);
    while (pem_next(rest, &line, &block, der)) {
        if (block.whole && is_kind(block.label))
            return !buf_overflowed(der);
        buf_reset(der);
    }
    return false;
}

/* ----------------------------------------------------------------------------------------------------- certificates */

X509 *x509_read_der(const struct buf *der)
{
    const unsigned char *at = (const unsigned char *)der->data, *end = at + der->len;
    _cleanup_x509_ X509 *cert = d2i_X509(NULL, &at, (long)der->len);

    ERR_clear_error();
    return cert && at == end ? steal(cert) : NULL;
}

X509 *x509_read_next(struct str *rest)
{
    _cleanup_buf_ struct buf der = {0};

    return find(rest, is_certificate, &der) ? x509_read_der(&der) : NULL;
}

X509 *x509_read(struct str pem)
{
    return x509_read_next(&pem);
}

/* ------------------------------------------------------------------------------------------------------------- keys */

static EVP_PKEY *read_one(const struct buf *der)
{
    const unsigned char *at = (const unsigned char *)der->data, *end = at + der->len;
    _cleanup_pkey_ EVP_PKEY *key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, (long)der->len);

    return key && at == end ? steal(key) : NULL;
}

static EVP_PKEY *read_eight(const struct buf *der)
{
    const unsigned char *at = (const unsigned char *)der->data;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der->len);
    EVP_PKEY *key = info ? EVP_PKCS82PKEY(info) : NULL;

    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

static EVP_PKEY *read_curve(const struct buf *der)
{
    const unsigned char *at = (const unsigned char *)der->data;

    return d2i_PrivateKey(EVP_PKEY_EC, NULL, &at, (long)der->len);
}

static bool is_known(const EVP_PKEY *key)
{
    int kind = EVP_PKEY_get_base_id(key);

    return kind == EVP_PKEY_RSA || kind == EVP_PKEY_EC || kind == EVP_PKEY_ED25519;
}

/* Whatever the label says, as Go tries them; what is under a pass phrase is none of the forms. */
EVP_PKEY *x509_read_private(struct str pem)
{
    static EVP_PKEY *(*const forms[])(const struct buf *) = {read_one, read_eight, read_curve};
    _cleanup_buf_ struct buf der = {0};
    _cleanup_pkey_ EVP_PKEY *found = NULL;

    if (find(&pem, is_private, &der)) {
        for (size_t i = 0; i < ARRAY_LEN(forms) && !found; i++)
            found = forms[i](&der);
    }
    ERR_clear_error();
    return found && is_known(found) ? steal(found) : NULL;
}

EVP_PKEY *x509_read_public(struct str pem)
{
    _cleanup_buf_ struct buf der = {0};
    const unsigned char *at;
    EVP_PKEY *found = NULL;

    if (find(&pem, is_public, &der)) {
        at = (const unsigned char *)der.data;
        found = d2i_PUBKEY(NULL, &at, (long)der.len);
    }
    ERR_clear_error();
    return found;
}
