/*
 * token_seal: a token that one reader alone can read: a sink's dh_type = "curve25519".
 *
 * The reader publishes {"curve25519_public_key": B64}; the writer makes a key pair for each token and writes
 * {"curve25519_public_key", "nonce", "encrypted_payload"}: X25519, then with `derive_key` HKDF-SHA256 (salt the smaller, info the
 * larger of both public keys), then AES-256-GCM with `aad`. Source of the recipe: Vault Agent's documentation of sinks.
 */
#ifndef VAULT_TOKEN_SEAL_H
#define VAULT_TOKEN_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/x25519.h"

struct token_seal {
    bool derive_key;
    const char *aad; /* "" for none */
};

/* The reader's public key out of its file's text. */
int token_seal_reader(const char *json, size_t len, unsigned char ret[X25519_KEY], struct err *err) MUST_USE;
/* Appends the JSON and a newline, as Go's encoder ends it. */
int token_seal(const struct token_seal *seal, const unsigned char reader[X25519_KEY], const char *text, size_t len,
               struct buf *out, struct err *err) MUST_USE;
/* The text of a sealed token; `out` is secret. ERR_DENIED: another key, aad or derive_key than it was sealed with. */
int token_unseal(const struct token_seal *seal, const unsigned char private[X25519_KEY], const char *json, size_t len,
                 struct buf *out, struct err *err) MUST_USE;

#endif
