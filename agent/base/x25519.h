/*
 * x25519: two parties with a key pair each agree on a secret (RFC 7748). A door to libcrypto.
 */
#ifndef BASE_X25519_H
#define BASE_X25519_H

#include "base/err.h"

#define X25519_KEY 32 /* bytes of private and public keys, and of the secret */

/* A new pair. The caller wipes the private key. */
int x25519_make(unsigned char private[X25519_KEY], unsigned char public[X25519_KEY], struct err *err) MUST_USE;
int x25519_public(const unsigned char private[X25519_KEY], unsigned char public[X25519_KEY], struct err *err) MUST_USE;
/* The caller wipes the secret. ERR_INPUT: a public key that makes any secret the same. */
int x25519_shared(const unsigned char private[X25519_KEY], const unsigned char theirs[X25519_KEY],
                  unsigned char secret[X25519_KEY], struct err *err) MUST_USE;

#endif
