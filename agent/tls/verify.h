/*
 * verify: is the certificate at the other end good for the name that was asked for? Judged as Go's crypto/x509 judges, explained
 * in plain words.
 *
 * OpenSSL builds the chain and checks signatures, times, name constraints and strength; what Go sees otherwise is decided here:
 * names (tls/hostname, alternative names only, never the common name), what a certificate may be used for (extended key usage
 * along the chain; the plain key usage of a server's certificate is nobody's business), who may sign. Every TLS client goes
 * through verify_watch(): there is no second rule. Names come from the network: printable ASCII only, cut to fit.
 */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <stdbool.h>

#include "base/err.h"

struct verify {
    /* Who may answer: the server and, before it, a proxy over TLS; NULL for nobody. Each handshake is held to the one that it
     * asked for. */
    const char *wanted[2];
    const char *asked;   /* of these, the one that the last handshake asked for */
    int verdict;         /* X509_V_… of the last handshake, 0 for good or none yet */
    bool unnamed;        /* it has no alternative name at all: `names` is its common name */
    bool impostor;       /* a CA of the issuer's name is trusted, but its key is another one */
    bool namesake;       /* its subject is its issuer's: OpenSSL takes it for signed by itself */
    bool above;          /* it is about the certificate of a CA */
    char names[256];     /* "a.example, 10.0.0.1" */
    char authority[128]; /* common name of the CA that it is about, or that is missing */
    char from[32], until[32];
};

struct x509_st;
struct x509_store_st;
struct x509_store_ctx_st;
struct ssl_ctx_st;

/* An empty set of authorities, as verify_watch() and verify_certificate() want it; NULL when out of memory. */
struct x509_store_st *verify_store(struct verify *verify);
/*
 * For CURLOPT_SSL_CTX_FUNCTION, which is called for each handshake: what `ssl_ctx` connects to is judged here, by `store`, which
 * then belongs to the context. Of the handshake before nothing is remembered.
 */
void verify_watch(struct ssl_ctx_st *ssl_ctx, struct x509_store_st *store, struct verify *verify);
/* The judgement alone, for `host`: what a handshake gets. */
bool verify_certificate(struct x509_store_ctx_st *chain, const char *host, struct verify *verify);
/* Whether it names this host or address. */
bool verify_names(const struct x509_st *cert, const char *host);
/* Why the certificate was refused: ERR_DENIED. `trusted` is the file or folder of those who are believed, NULL where nobody named
 * one. */
int verify_explain(const struct verify *verify, const char *trusted, struct err *err);

#endif
