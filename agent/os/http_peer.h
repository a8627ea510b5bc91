/*
 * http_peer: what a server's certificate said, kept so that a refusal can be put in plain words.
 *
 * Private to os/http*. Filled while OpenSSL verifies; the judgement stays OpenSSL's and libcurl's. Names come from the network: printable ASCII
 * only, cut to fit.
 */
#ifndef OS_HTTP_PEER_H
#define OS_HTTP_PEER_H

#include "base/err.h"

struct http_peer {
    int verdict;     /* X509_V_… of the last verification, 0 for good */
    char names[256]; /* "a.example, 10.0.0.1" */
    char from[32], until[32];
};

/* For CURLOPT_SSL_CTX_FUNCTION: note the certificate in `peer` and refuse weak keys. */
void peer_watch(void *ssl_ctx, struct http_peer *peer);
/* Why the certificate was refused: ERR_DENIED. `wanted` is the name it had to have. */
int peer_explain(const struct http_peer *peer, const char *wanted, struct err *err);

#endif
