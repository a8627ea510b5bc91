/*
 * jwt: JSON Web Tokens, the compact signed form (RFC 7515, 7519), RS256 and ES256.
 *
 * jwt_parse() only takes the text apart; nothing in it is to be believed before jwt_verify(). The algorithm is the key's, never
 * the token's choice: a header that names another one is refused. Tokens end at LIMIT_TOKEN_BYTES. Errors never quote the token.
 */
#ifndef SANDBOX_JWT_H
#define SANDBOX_JWT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"
#include "tls/tls.h"

struct jwt {
    struct arena arena; /* holds header and claims */
    struct val header, claims;
    struct str text; /* the signed part: borrowed from the caller */
    struct buf signature;
};

int jwt_parse(const char *text, size_t len, struct jwt *ret, struct err *err) MUST_USE;
int jwt_verify(const struct jwt *jwt, const struct tls_key *key, struct err *err) MUST_USE;
void jwt_done(struct jwt *jwt); /* zeroed structs are accepted */
#define _cleanup_jwt_ _cleanup_(jwt_done)

/* Sign `claims` (JSON text) and append the token to `out`. */
int jwt_sign(const struct tls_key *key, const char *claims, struct buf *out, struct err *err) MUST_USE;
/* The key ID as Kubernetes makes it, base64url of the public key's digest: 43 characters. */
int jwt_key_id(const struct tls_key *key, struct buf *out, struct err *err) MUST_USE;

/* Is `audience` the aud claim or one of its list? */
bool jwt_has_audience(const struct val *claims, const char *audience);

/* Without padding. Decoding refuses other characters and padding. */
void jwt_base64_add(struct buf *out, const void *data, size_t len);
int jwt_base64_decode(const char *text, size_t len, struct buf *out, struct err *err) MUST_USE;

#endif
