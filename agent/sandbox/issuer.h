/*
 * issuer: the cluster's side: signs service-account tokens shaped like those that kubelet projects, and judges them as the API
 * server does.
 *
 * Its state is the folder D of `--dir`, so that tokens can be made and revoked without a running server:
 *   sa.key (RSA, signs tokens)  issuer (its URL)  revoked (token IDs, one a line)  ca.pem ca.key (for TLS)  address  root-token
 * UIDs of accounts, pods and nodes are digests of their names: stable without being stored.
 */
#ifndef SANDBOX_ISSUER_H
#define SANDBOX_ISSUER_H

#include "base/buf.h"
#include "base/err.h"
#include "sandbox/jwt.h"

struct issuer {
    char *dir;
    char *url; /* iss of its tokens, and their audience when none is asked for */
    struct tls_key *key;
};

struct issuer_request {
    const char *namespace, *service_account;
    const char *audience;   /* NULL = the issuer itself */
    const char *pod, *node; /* NULL = made up from the account's name */
    int64_t ttl_s;
    int64_t issued_at; /* seconds since 1970 */
};

enum { ISSUER_UID_LEN = 36 };

/* Open the folder; `url` NULL keeps what is stored there. Keys are made when missing. */
int issuer_open(const char *dir, const char *url, struct issuer *ret, struct err *err) MUST_USE;
void issuer_close(struct issuer *issuer);

int issuer_token(const struct issuer *issuer, const struct issuer_request *req, struct buf *out, struct err *err) MUST_USE;

/* Parsed, signature checked, in its time and not revoked; the error is in the API server's words. */
int issuer_check(const struct issuer *issuer, const char *token, size_t len, struct jwt *ret, struct err *err) MUST_USE;

/* Refuse this token from now on, as when its pod was deleted. */
int issuer_revoke(const struct issuer *issuer, const char *token, struct err *err) MUST_USE;

/* /.well-known/openid-configuration and /openid/v1/jwks */
void issuer_discovery(const struct issuer *issuer, struct buf *out);
int issuer_jwks(const struct issuer *issuer, struct buf *out, struct err *err) MUST_USE;

void issuer_uid(const char *kind, const char *namespace, const char *name, char ret[ISSUER_UID_LEN + 1]);

/* D/name: read whole into `ret` (secret; pass a zeroed struct); ERR_MISSING when not there. */
int issuer_read(const char *dir, const char *name, struct buf *ret, struct err *err) MUST_USE;
/* Replaced as a whole. What others need (the CA, the address) is readable for all, the rest for the owner. */
enum issuer_mode { ISSUER_SECRET = 0600, ISSUER_PUBLIC = 0644 };
int issuer_write(const char *dir, const char *name, enum issuer_mode mode, const char *data, size_t len, struct err *err)
    MUST_USE;
/* The key in D/name, made when missing. */
int issuer_key(const char *dir, const char *name, enum tls_key_kind kind, struct tls_key **ret, struct err *err) MUST_USE;

#endif
