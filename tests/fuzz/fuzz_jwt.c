/* floor: sandbox */
/* Tokens and token reviews: the text of a JWT, judged by an issuer; with a first byte '{' the body of a TokenReview; with 'P' a
 * policy. */
#include <stdint.h>

#include "base/clock.h"
#include "base/limits.h"
#include "sandbox/acl.h"
#include "sandbox/token_review.h"

static void try_policy(const char *text)
{
    struct acl acl;
    char name[] = "p", *names[] = {name, NULL};
    struct err err;

    if (acl_init(&acl, &err) == 0 && acl_put(&acl, "p", text, &err) == 0)
        acl_capabilities(&acl, names, "secret/data/app");
    acl_done(&acl);
}

/* Past the caller's own check, which no input gets through. */
static void try_review(const struct issuer *issuer, const char *text)
{
    struct issuer_request req = {.namespace = "demo", .service_account = "demo", .ttl_s = 60, .issued_at = clock_wall() / 1000};
    _cleanup_buf_ struct buf token = {0}, out = {0};
    struct err err;

    buf_init(&token, LIMIT_TOKEN_BYTES);
    buf_init(&out, LIMIT_REPLY_BYTES);
    if (issuer_token(issuer, &req, &token, &err) == 0)
        token_review_answer(issuer, token.data, text, strlen(text), &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_key *key; /* made once: it is not what is fuzzed */
    char dir[] = "/nonexistent", url[] = "https://sandbox";
    struct issuer issuer = {.dir = dir, .url = url};
    _cleanup_free_ char *text = mem_strndup((const char *)data, size);
    _cleanup_jwt_ struct jwt jwt = {0}, judged = {0};
    struct err err;

    if (!key && tls_key_new(TLS_KEY_P256, &key, &err) < 0)
        return 0;
    issuer.key = key;
    if (size && data[0] == 'P')
        try_policy(text + 1);
    else if (size && data[0] == '{')
        try_review(&issuer, text);
    else if (jwt_parse(text, size, &jwt, &err) == 0 && jwt_verify(&jwt, key, &err) < 0)
        jwt_has_audience(&jwt.claims, "https://sandbox");
    if (token_review_judge(&issuer, text, size, NULL, &judged, &err) == 0)
        __builtin_trap(); /* nothing here was signed with that key */
    return 0;
}
