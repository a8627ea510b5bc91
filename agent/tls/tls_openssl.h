/*
 * tls_openssl: what the files of os/ that use OpenSSL share: OpenSSL's objects with cleanup attributes, and its reasons as
 * errors.
 *
 * Private to os/.
 */
#ifndef TLS_TLS_OPENSSL_H
#define TLS_TLS_OPENSSL_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "base/mem.h"

static inline void cleanup_bio(BIO **bio)
{
    BIO_free(*bio);
}
static inline void cleanup_x509(X509 **cert)
{
    X509_free(*cert);
}
static inline void cleanup_pkey(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}
#define _cleanup_bio_  _cleanup_(cleanup_bio)
#define _cleanup_x509_ _cleanup_(cleanup_x509)
#define _cleanup_pkey_ _cleanup_(cleanup_pkey)

/* "WHAT: reason"; OpenSSL's queue is left empty so that no later call reports this failure as its own. */
static inline int tls_fail(struct err *err, enum err_code code, const char *what)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;

    ERR_clear_error();
    return err_set(err, code, "%s: %s", what, reason ? reason : "failed in OpenSSL");
}

#endif
