/*
 * x509: PEM blocks inside any text, and what certificates say about themselves.
 *
 * Blocks may stand anywhere in a line, as consul-template looks for them; base/pem reads them, and tls/x509_read certificates.
 * Text around the blocks is skipped; a block that does not decode ends the scan, a certificate that does not parse is an
 * ERR_INPUT. Blocks come back encoded anew: 64 columns, LF, a newline at the end.
 */
#ifndef TLS_X509_H
#define TLS_X509_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"

enum x509_kind { X509_CERTIFICATE, X509_PRIVATE_KEY, X509_OTHER };

struct x509_block {
    enum x509_kind kind;
    struct buf pem; /* secret */
    bool is_ca;
    int64_t not_before, not_after; /* ms since 1970 */
};

/* 1 with the next block, 0 at the end, -1 with ERR_INPUT. `ret` is done by the caller with x509_block_done(). */
int x509_next(struct cursor *text, struct x509_block *ret, struct err *err) MUST_USE;
void x509_block_done(struct x509_block *block); /* zeroed structs are accepted */
#define _cleanup_x509_block_ _cleanup_(x509_block_done)

/* 0 when the first certificate in `pem` was signed by that of `issuer_pem`, else ERR_DENIED or ERR_INPUT. Both NUL-terminated. */
int x509_check_issuer(const char *pem, const char *issuer_pem, struct err *err) MUST_USE;
/* Whether that is the common name of the first certificate in `pem`, whatever its case. */
bool x509_is_called(const char *pem, const char *name);
/* Whether the first private key in `key_pem` is that of the first certificate in `pem`. */
bool x509_fits(const char *pem, const char *key_pem);
/* Whether the first certificate in `pem` names this host or IP address among its alternative names. */
bool x509_is_for(const char *pem, const char *name);

#endif
