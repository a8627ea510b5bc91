/*
 * token_review: the Kubernetes API's TokenReview (authentication.k8s.io/v1), as the auth plugins of a Vault server call it.
 *
 * Whoever asks must hold a valid token himself. The answer to a bad token is not an error but a status without `authenticated`.
 */
#ifndef SANDBOX_TOKEN_REVIEW_H
#define SANDBOX_TOKEN_REVIEW_H

#include "sandbox/issuer.h"

/* `bearer` (may be NULL) is the caller's own token. Appends the reply's body and returns its HTTP status. */
int token_review_answer(const struct issuer *issuer, const char *bearer, const char *body, size_t len, struct buf *out);

/* The judgement alone: `audiences` a VAL_LIST or NULL for the issuer's own. */
int token_review_judge(const struct issuer *issuer, const char *token, size_t len, const struct val *audiences, struct jwt *ret,
                       struct err *err) MUST_USE;

#endif
