/*
 * cert: certificates made as sprig makes them with Go's crypto/x509, byte for byte but for what is random. A door to libcrypto.
 *
 * X.509 version 3, a serial number of 128 random bits, for servers and clients. Signed by itself, or by a given authority.
 */
#ifndef GO_CERT_H
#define GO_CERT_H

#include "base/buf.h"
#include "base/val.h"
#include "go/key.h"

struct cert_address {
    unsigned char bytes[16];
    size_t len; /* 4 or 16 */
};

struct cert_request {
    struct str name; /* common name; "": none */
    const struct cert_address *addresses;
    size_t address_count;
    const struct str *hosts;
    size_t host_count;
    int64_t not_before, not_after; /* seconds since 1970 */
    bool is_ca;
};

/* Whose signature a certificate gets: what it must name, and the key. */
struct cert_signer {
    struct buf subject, key_id, public; /* in DER; key_id without its tag, empty when there is none; public as key_add_public() */
    const struct key *key;              /* the caller's, filled in after reading */
};

/* Is there a certificate in the first PEM block of the text? Errors are sprig's; `what` is its name for the bytes. */
int cert_check(struct str pem, const char *what, struct err *err) MUST_USE;
/* Out of the authority's certificate. */
int cert_signer_read(struct str pem, struct cert_signer *ret, struct err *err) MUST_USE;
void cert_signer_done(struct cert_signer *signer); /* zeroed structs are accepted */
#define _cleanup_cert_signer_ _cleanup_(cert_signer_done)

/* Append as PEM. `signer` NULL: the key signs for itself. A signer's key must be that of its certificate. */
int cert_make(const struct cert_request *request, const struct key *key, const struct cert_signer *signer, struct buf *buf,
              struct err *err) MUST_USE;

#endif
