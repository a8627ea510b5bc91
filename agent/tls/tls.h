/*
 * tls: keys, certificates and server contexts; with http.c (client side, through libcurl) the only user of OpenSSL's TLS.
 *
 * Keys are RSA 2048 or P-256 and live in OpenSSL's memory until tls_key_free(); in and out they are PEM. Certificates are PEM
 * text in a buf: a CA of our own, leaves with subject alternative names. tls_key_sign() and tls_key_verify() are the primitives
 * of JWTs (RS256, ES256). A server context is shared by all connections of a listener; tls_server_load() swaps its certificate
 * while it serves (running connections keep theirs). TLS 1.2 and up, HTTP/1.1 by ALPN. Errors name the object and OpenSSL's
 * reason, never key material.
 */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"

struct tls_key;

enum tls_key_kind { TLS_KEY_RSA, TLS_KEY_P256 };

int tls_key_new(enum tls_key_kind kind, struct tls_key **ret, struct err *err) MUST_USE;
/* A private key (PKCS#8 or traditional) or, for verifying only, a public key or certificate. */
int tls_key_load(const char *pem, size_t len, struct tls_key **ret, struct err *err) MUST_USE;
void tls_key_free(struct tls_key *key);
void tls_key_cleanup(struct tls_key **key);
#define _cleanup_tls_key_ _cleanup_(tls_key_cleanup)

int tls_key_private_pem(const struct tls_key *key, struct buf *out, struct err *err) MUST_USE;
int tls_key_public_pem(const struct tls_key *key, struct buf *out, struct err *err) MUST_USE;
/* SHA-256 of the public key's DER: what Kubernetes makes key IDs from. */
int tls_key_digest(const struct tls_key *key, unsigned char out[DIGEST_SHA256_LEN], struct err *err) MUST_USE;
/* Modulus and exponent, big-endian bytes; ERR_INPUT for a key that is not RSA. */
int tls_key_rsa_numbers(const struct tls_key *key, struct buf *n, struct buf *e, struct err *err) MUST_USE;

/* "RS256" or "ES256": what this key signs with. Static storage. */
const char *tls_key_algorithm(const struct tls_key *key);
/* The signature as RFC 7518 wants it (ES256: r and s, 32 bytes each) behind what `out` holds. */
int tls_key_sign(const struct tls_key *key, const void *data, size_t len, struct buf *out, struct err *err) MUST_USE;
/* 0, or ERR_DENIED when the signature is not this key's. */
int tls_key_verify(const struct tls_key *key, const void *data, size_t len, const void *sig, size_t sig_len, struct err *err)
    MUST_USE;

struct tls_cert_spec {
    const char *name;        /* common name */
    const char *const *sans; /* host names and IP addresses */
    size_t san_count;
    unsigned days;
    bool ca;
    const char *issuer_pem; /* NUL-terminated certificate of the issuer; NULL: self-signed */
    const struct tls_key *issuer_key;
};

/* A certificate for `key`, valid from an hour ago, appended to `out` as PEM. */
int tls_cert_make(const struct tls_cert_spec *spec, const struct tls_key *key, struct buf *out, struct err *err) MUST_USE;

/* What a server asks of its clients beyond TLS 1.2. All zero: nothing. */
struct tls_rules {
    int min_version;   /* OpenSSL's number */
    int max_version;   /* the same; 0: none */
    char suites[1024]; /* OpenSSL's names of the suites of TLS 1.2, "" for all of ours */
};

/*
 * "tls10" … "tls13", or "" (less than TLS 1.2 is not spoken, and a maximum below it is refused), and IANA's names of cipher
 * suites with commas between, as Go programs take them. Each may be NULL. Unknown names are an ERR_INPUT; suites that Go knows
 * and that are not in our OpenSSL are left out.
 */
int tls_rules_parse(const char *min_version, const char *max_version, const char *suites, struct tls_rules *ret, struct err *err)
    MUST_USE;

struct tls_server;
struct ssl_st;

/* `chain_pem`: leaf first. Both NUL-terminated; `what` names the pair in errors. NULL `rules` are none. */
int tls_server_new(const struct tls_rules *rules, const char *chain_pem, const char *key_pem, const char *what,
                   struct tls_server **ret, struct err *err) MUST_USE;
/* Take another certificate for new connections; on failure the old one stays. */
int tls_server_load(struct tls_server *server, const char *chain_pem, const char *key_pem, const char *what, struct err *err)
    MUST_USE;
/* From now on only clients with a certificate of one of these authorities (PEM, copied), also after tls_server_load(). */
int tls_server_ask(struct tls_server *server, const char *authorities_pem, const char *what, struct err *err) MUST_USE;
void tls_server_free(struct tls_server *server);
/* For os/ only: a session for one accepted connection; NULL when out of memory. */
struct ssl_st *tls_server_session(struct tls_server *server);
/* Tell the peer that nothing more comes, so that it can tell an end from a cut. */
void tls_server_goodbye(struct ssl_st *ssl);

#endif
