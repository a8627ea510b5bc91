#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "sandbox/issuer.h"
#include "sandbox/token_review.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct bench {
    char dir[64];
    struct issuer issuer;
};

static void bench_open(struct bench *bench)
{
    struct err err;

    memcpy(bench->dir, "/tmp/ampule-issuer-XXXXXX", sizeof("/tmp/ampule-issuer-XXXXXX"));
    assert_non_null(mkdtemp(bench->dir));
    assert_int_equal(issuer_open(bench->dir, "https://sandbox", &bench->issuer, &err), 0);
}

static void bench_close(struct bench *bench)
{
    static const char *const names[] = {"sa.key", "issuer", "revoked"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", bench->dir, names[i]);
        unlink(path);
    }
    rmdir(bench->dir);
    issuer_close(&bench->issuer);
}

static void make_token(const struct bench *bench, const char *audience, int64_t ttl_s, struct buf *out)
{
    struct issuer_request req = {
        .namespace = "demo", .service_account = "app", .audience = audience, .ttl_s = ttl_s, .issued_at = clock_wall() / 1000};
    struct err err;

    buf_init_secret(out, LIMIT_TOKEN_BYTES);
    assert_int_equal(issuer_token(&bench->issuer, &req, out, &err), 0);
}

static void base64url_goes_there_and_back(void **state)
{
    static const struct {
        const char *plain, *text;
    } rows[] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"\xfb\xff\xfe", "-__-"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_buf_ struct buf text = {0}, plain = {0};
        struct err err;

        buf_init(&text, 100);
        buf_init(&plain, 100);
        jwt_base64_add(&text, rows[i].plain, strlen(rows[i].plain));
        assert_string_equal(text.data, rows[i].text);
        assert_int_equal(jwt_base64_decode(text.data, text.len, &plain, &err), 0);
        assert_string_equal(plain.data, rows[i].plain);
    }
}

static void base64url_refuses_padding_and_other_alphabets(void **state)
{
    static const char *const rows[] = {"Zg==", "a+b", "a/b", "a b", "A"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_buf_ struct buf plain = {0};
        struct err err;

        buf_init(&plain, 100);
        assert_int_equal(jwt_base64_decode(rows[i], strlen(rows[i]), &plain, &err), -1);
    }
}

static void token_has_the_claims_that_kubelet_projects(void **state)
{
    struct bench bench;
    _cleanup_buf_ struct buf token = {0};
    _cleanup_jwt_ struct jwt jwt = {0};
    const struct val *k8s;
    struct err err;
    int64_t iat, warnafter;

    (void)state;
    bench_open(&bench);
    make_token(&bench, NULL, 3600, &token);
    assert_int_equal(issuer_check(&bench.issuer, token.data, token.len, &jwt, &err), 0);
    k8s = val_get(&jwt.claims, "kubernetes.io");
    assert_string_equal(val_get_cstr(&jwt.claims, "sub"), "system:serviceaccount:demo:app");
    assert_string_equal(val_get_cstr(&jwt.claims, "iss"), "https://sandbox");
    assert_true(jwt_has_audience(&jwt.claims, "https://sandbox"));
    assert_string_equal(val_get_cstr(k8s, "namespace"), "demo");
    assert_string_equal(val_get_cstr(val_get(k8s, "serviceaccount"), "name"), "app");
    assert_non_null(val_get_cstr(val_get(k8s, "pod"), "uid"));
    assert_true(val_get_int(&jwt.claims, "iat", &iat) && val_get_int(k8s, "warnafter", &warnafter));
    assert_int_equal(warnafter - iat, 3607);
    assert_string_equal(val_get_cstr(&jwt.header, "alg"), "RS256");
    assert_int_equal(strlen(val_get_cstr(&jwt.header, "kid")), 43);
    bench_close(&bench);
}

static void expired_revoked_and_foreign_tokens_are_refused(void **state)
{
    struct bench bench, other;
    _cleanup_buf_ struct buf expired = {0}, revoked = {0}, foreign = {0};
    struct jwt jwt;
    struct err err;

    (void)state;
    bench_open(&bench);
    bench_open(&other);
    make_token(&bench, NULL, -1, &expired);
    make_token(&bench, NULL, 60, &revoked);
    make_token(&other, NULL, 60, &foreign);
    assert_int_equal(issuer_check(&bench.issuer, expired.data, expired.len, &jwt, &err), -1);
    assert_string_equal(err.text, "service account token has expired");
    assert_int_equal(issuer_revoke(&bench.issuer, revoked.data, &err), 0);
    assert_int_equal(issuer_check(&bench.issuer, revoked.data, revoked.len, &jwt, &err), -1);
    assert_string_equal(err.text, "service account token has been invalidated");
    assert_int_equal(issuer_check(&bench.issuer, foreign.data, foreign.len, &jwt, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    bench_close(&other);
    bench_close(&bench);
}

static void algorithm_is_the_keys_not_the_tokens_choice(void **state)
{
    struct bench bench;
    _cleanup_buf_ struct buf token = {0}, forged = {0};
    struct jwt jwt;
    struct err err;
    const char *body;

    (void)state;
    bench_open(&bench);
    make_token(&bench, NULL, 60, &token);
    body = strchr(token.data, '.');
    buf_init(&forged, LIMIT_TOKEN_BYTES);
    jwt_base64_add(&forged, "{\"alg\":\"none\"}", 14);
    buf_add(&forged, body, (size_t)(strrchr(token.data, '.') + 1 - body));
    assert_int_equal(issuer_check(&bench.issuer, forged.data, forged.len, &jwt, &err), -1);
    bench_close(&bench);
}

static void wrong_audience_is_refused_in_the_api_servers_words(void **state)
{
    struct bench bench;
    _cleanup_buf_ struct buf token = {0};
    _cleanup_jwt_ struct jwt jwt = {0};
    struct val vault = val_cstr("vault"), wanted = val_list(&vault, 1);
    struct err err;

    (void)state;
    bench_open(&bench);
    make_token(&bench, "vault", 60, &token);
    assert_int_equal(token_review_judge(&bench.issuer, token.data, token.len, NULL, &jwt, &err), -1);
    assert_string_equal(err.text, "token audiences [\"vault\"] is invalid for the target audiences [\"https://sandbox\"]");
    assert_int_equal(token_review_judge(&bench.issuer, token.data, token.len, &wanted, &jwt, &err), 0);
    bench_close(&bench);
}

static void review_wants_a_caller_with_a_token(void **state)
{
    struct bench bench;
    _cleanup_buf_ struct buf out = {0}, token = {0}, body = {0};

    (void)state;
    bench_open(&bench);
    make_token(&bench, NULL, 60, &token);
    buf_init(&out, LIMIT_REPLY_BYTES);
    buf_init(&body, LIMIT_REPLY_BYTES);
    buf_addf(&body, "{\"spec\":{\"token\":\"%s\"}}", token.data);
    assert_int_equal(token_review_answer(&bench.issuer, NULL, body.data, body.len, &out), 401);
    buf_reset(&out);
    assert_int_equal(token_review_answer(&bench.issuer, token.data, body.data, body.len, &out), 201);
    assert_non_null(strstr(out.data, "\"authenticated\":true"));
    assert_non_null(strstr(out.data, "\"username\":\"system:serviceaccount:demo:app\""));
    buf_reset(&out);
    assert_int_equal(token_review_answer(&bench.issuer, token.data, "{\"spec\":{\"token\":\"x\"}}", 22, &out), 201);
    assert_null(strstr(out.data, "authenticated\":true"));
    assert_non_null(strstr(out.data, "invalid bearer token"));
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url_goes_there_and_back),
        cmocka_unit_test(base64url_refuses_padding_and_other_alphabets),
        cmocka_unit_test(token_has_the_claims_that_kubelet_projects),
        cmocka_unit_test(expired_revoked_and_foreign_tokens_are_refused),
        cmocka_unit_test(algorithm_is_the_keys_not_the_tokens_choice),
        cmocka_unit_test(wrong_audience_is_refused_in_the_api_servers_words),
        cmocka_unit_test(review_wants_a_caller_with_a_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
