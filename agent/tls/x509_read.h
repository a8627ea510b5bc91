/*
 * x509_read: OpenSSL's certificates and keys out of PEM text, whose blocks `base/pem` finds. For the users of OpenSSL in tls/.
 *
 * The one reader of them here, as lenient and as strict as Go's crypto/tls: other blocks and broken ones are passed over, headers
 * mean nothing, a key's form is found out whatever its label says. The first certificate and the first key are meant: one that
 * does not parse is not made up for by a later one. Keys under a pass phrase cannot be read: nobody is there to be asked, and
 * nobody is. Nothing stays in OpenSSL's queue of errors.
 */
#ifndef TLS_X509_READ_H
#define TLS_X509_READ_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/val.h"

/* NULL when it does not parse, or something stands behind it. */
X509 *x509_read_der(const struct buf *der);
/* The next certificate, and the text behind it; NULL: none, and the rest is empty, or one that does not parse. */
X509 *x509_read_next(struct str *rest);
/* The first of a text; NULL: none that can be read. */
X509 *x509_read(struct str pem);
EVP_PKEY *x509_read_private(struct str pem);
EVP_PKEY *x509_read_public(struct str pem);

#endif
