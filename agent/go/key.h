/*
 * key: private keys for certificates: made, read, written, and signing. A door to libcrypto.
 *
 * The text forms are those of Go: PKCS#1 for RSA, SEC 1 for elliptic curves, PKCS#8 for Ed25519. OpenSSL's generator makes keys,
 * seeded as digest.h says. What is secret lies in wiped memory. RSA keys have at most LIMIT_RSA_BITS.
 */
#ifndef GO_KEY_H
#define GO_KEY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/val.h"

enum key_kind {
    KEY_RSA,
    KEY_EC,
    KEY_ED25519,
    KEY_OTHER, /* can be read and nothing else: DSA, X25519 */
};

struct key;

/* RSA of so many bits, the curve P-256, or Ed25519. */
int key_make(enum key_kind kind, unsigned bits, struct key **ret, struct err *err) MUST_USE;
/* The first PEM block of a text. Errors are those of the originals and show nothing but the block's label, with `redact` not even
 * that. */
int key_read(struct str pem, bool redact, struct key **ret, struct err *err) MUST_USE;
void key_free(struct key *key);
void key_cleanup(struct key **key);
#define _cleanup_key_ _cleanup_(key_cleanup)

enum key_kind key_kind(const struct key *key);
unsigned key_bits(const struct key *key);
/* Append as PEM. */
int key_write(const struct key *key, struct buf *buf, struct err *err) MUST_USE;

/* In DER, appended: SubjectPublicKeyInfo, the content of its bit string, and the AlgorithmIdentifier of what key_sign() makes. */
int key_add_public_info(const struct key *key, struct buf *buf, struct err *err) MUST_USE;
int key_add_public(const struct key *key, struct buf *buf, struct err *err) MUST_USE;
int key_add_algorithm(const struct key *key, struct buf *buf, struct err *err) MUST_USE;
/* Can it sign? */
int key_check_signer(const struct key *key, struct err *err) MUST_USE;
/* Append the signature of the bytes. */
int key_sign(const struct key *key, const void *data, size_t len, struct buf *buf, struct err *err) MUST_USE;

#endif
