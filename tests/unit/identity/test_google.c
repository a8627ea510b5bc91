#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "go/key.h"
#include "identity/google.h"
#include "support/environment.h"

struct turn {
    const char *asks; /* "GET http://host/path" */
    const char *body; /* of what is asked, NULL: anything */
    int status;
    const char *answer;
};

static char subject_file[] = "/tmp/ampule-test-google-XXXXXX";

static int fresh(void **state)
{
    (void)state;
    environment_empty();
    setenv("HOME", "/nowhere", 1);
    return 0;
}

static void plays(const struct google_options *options, const struct turn *turns, const char *jwt, const char *text)
{
    struct google *google = google_new(options);
    struct told told = {.challenge = ""};
    struct ask ask = {0};
    struct err err = {0};
    int rc;

    for (size_t i = 0; (rc = google_sign(google, "http://vault/app", 900, i ? &told : NULL, &ask, &err)) == 0; i++) {
        char asked[512];

        snprintf(asked, sizeof(asked), "%s %s%s", ask.method, ask.origin, ask.path.data);
        assert_non_null(turns[i].asks);
        assert_string_equal(asked, turns[i].asks);
        if (turns[i].body && !strstr(ask.body.data, turns[i].body))
            fail_msg("%s: %s", turns[i].asks, ask.body.data);
        told.status = turns[i].status;
        told.body = str_of(turns[i].answer);
        ask_done(&ask);
    }
    assert_int_equal(rc, jwt ? 1 : -1);
    assert_string_equal(jwt ? google_jwt(google) : err.text, jwt ? jwt : text);
    ask_done(&ask);
    google_free(google);
}

#define MACHINE "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/"
#define IAM     "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"

static void a_machine_has_google_sign(void **state)
{
    const struct turn unnamed[] = {
        {"GET " MACHINE "email", NULL, 200, "app@p.iam.gserviceaccount.com\n"},
        {"GET " MACHINE "token", NULL, 200, "{\"access_token\":\"ya29\",\"expires_in\":3599}"},
        {"POST " IAM "app@p.iam.gserviceaccount.com:signJwt",
         "{\"payload\":\"{\\\"aud\\\":\\\"http://vault/app\\\",\\\"sub\\\":\\\"app@p.iam.gserviceaccount.com\\\",\\\"exp\\\":",
         200, "{\"keyId\":\"k\",\"signedJwt\":\"a.b.c\"}"},
        {0}};
    const struct turn named[] = {{"GET " MACHINE "token", NULL, 200, "{\"access_token\":\"ya29\"}"},
                                 {"POST " IAM "other:signJwt", NULL, 403, "{\"error\":\"hunter2\"}"},
                                 {0}};
    const struct turn page[] = {{"GET " MACHINE "email", NULL, 200, "<html>hunter2"}, {0}};

    (void)state;
    plays(&(struct google_options){0}, unnamed, "a.b.c", NULL);
    plays(&(struct google_options){.service_account = "other"}, named, NULL, "Google IAM: signJwt: refused with status 403");
    plays(&(struct google_options){0}, page, NULL, "Google's metadata service: service account: the answer is no name");
}

static void a_federation_exchanges_acts_and_signs(void **state)
{
    char text[1024];
    const struct turn turns[] = {
        {"POST https://sts.googleapis.com/v1/token", "&subject_token=eyJ.s.t&subject_token_type=urn%3Ajwt", 200,
         "{\"access_token\":\"fed\"}"},
        {"POST https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/sa@p:generateAccessToken",
         "\"lifetime\":\"3600s\"", 200, "{\"accessToken\":\"ya29\",\"expireTime\":\"2026-01-01T00:00:00Z\"}"},
        {"POST " IAM "sa@p:signJwt", NULL, 200, "{\"signedJwt\":\"a.b.c\"}"},
        {0}};

    (void)state;
    snprintf(text, sizeof(text),
             "{\"type\":\"external_account\",\"audience\":\"//iam/x\",\"subject_token_type\":\"urn:jwt\","
             "\"token_url\":\"https://sts.googleapis.com/v1/token\",\"service_account_impersonation_url\":"
             "\"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/sa@p:generateAccessToken\","
             "\"credential_source\":{\"file\":\"%s\"}}",
             subject_file);
    plays(&(struct google_options){.credentials = text}, turns, "a.b.c", NULL);
    setenv("GOOGLE_CREDENTIALS", text, 1);
    plays(&(struct google_options){0}, turns, "a.b.c", NULL);
}

static void a_subject_s_token_may_come_from_a_url_and_in_json(void **state)
{
    static const char text[] =
        "{\"type\":\"external_account\",\"audience\":\"//iam/x\",\"subject_token_type\":\"urn:jwt\",\"token_url\":\"https://sts.example/t\","
        "\"credential_source\":{\"url\":\"http://127.0.0.1:1/id?x=y\",\"headers\":{\"Authorization\":\"bearer z\"},"
        "\"format\":{\"type\":\"json\",\"subject_token_field_name\":\"value\"}}}";
    const struct turn turns[] = {{"GET http://127.0.0.1:1/id?x=y", NULL, 200, "{\"value\":\"eyJ.u.r\"}"},
                                 {"POST https://sts.example/t", "subject_token=eyJ.u.r", 200, "{\"access_token\":\"fed\"}"},
                                 {"POST " IAM "sa@p:signJwt", NULL, 200, "{\"signedJwt\":\"a.b.c\"}"},
                                 {0}};
    const struct turn nothing[] = {{0}};

    (void)state;
    plays(&(struct google_options){.credentials = text, .service_account = "sa@p"}, turns, "a.b.c", NULL);
    plays(&(struct google_options){.credentials = text}, nothing, NULL,
          "Google federation: service_account is missing: nobody says whose token to sign");
}

static void a_key_signs_here(void **state)
{
    _cleanup_buf_ struct buf pem = {0}, json;
    _cleanup_key_ struct key *key = NULL;
    struct google_options options = {0};
    struct google *google;
    struct ask ask = {0};
    struct err err;
    const char *jwt;

    (void)state;
    assert_int_equal(key_make(KEY_RSA, 2048, &key, &err), 0);
    buf_init_secret(&pem, KIB(16));
    buf_init_secret(&json, KIB(16));
    assert_int_equal(key_write(key, &pem, &err), 0);
    buf_adds(&json, "{\"type\":\"service_account\",\"client_email\":\"sa@p\",\"private_key_id\":\"k1\",\"private_key\":");
    json_write_str(&json, (struct str){pem.data, pem.len}, 0);
    buf_adds(&json, "}");
    options.credentials = json.data;
    google = google_new(&options);
    assert_int_equal(google_sign(google, "http://vault/app", 900, NULL, &ask, &err), 1);
    jwt = google_jwt(google);
    /* {"alg":"RS256","typ":"JWT","kid":"k1"} */
    assert_int_equal(strncmp(jwt, "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImsxIn0.", 52), 0);
    assert_int_equal(strlen(strrchr(jwt, '.') + 1), 342);
    google_free(google);
}

static void what_cannot_sign_is_refused_by_name(void **state)
{
    const struct turn nothing[] = {{0}};

    (void)state;
    plays(&(struct google_options){.credentials = "{\"type\":\"authorized_user\"}"}, nothing, NULL,
          "Google credentials: type \"authorized_user\" is not supported: service_account and external_account are");
    plays(&(struct google_options){.credentials =
                                       "{\"type\":\"service_account\",\"client_email\":\"a\",\"private_key\":\"hunter2\"}"},
          nothing, NULL, "Google credentials: private_key is no RSA key in PEM");
    plays(
        &(struct google_options){.credentials = "{\"type\":\"service_account\",\"client_email\":\"a\"}", .service_account = "b"},
        nothing, NULL, "Google credentials: the key is of a, service_account says b: one account can sign for itself only");
    plays(&(struct google_options){.credentials = "[]"}, nothing, NULL, "credentials: not a JSON object");
    setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json", 1);
    plays(&(struct google_options){0}, nothing, NULL, "Google credentials: \"/nowhere/key.json\": no such file");
}

static void a_machine_s_identity_is_for_one_audience(void **state)
{
    _cleanup_ask_ struct ask ask = {0};
    struct err err;

    (void)state;
    setenv("GCE_METADATA_HOST", "127.0.0.1:8080", 1);
    assert_int_equal(google_ask_identity(NULL, "http://vault/app", &ask, &err), 0);
    assert_string_equal(ask.origin, "http://127.0.0.1:8080");
    assert_string_equal(
        ask.path.data,
        "/computeMetadata/v1/instance/service-accounts/default/identity?audience=http%3A%2F%2Fvault%2Fapp&format=full");
    assert_string_equal(ask.headers[0].name, "Metadata-Flavor");
    assert_true(ask.near);
}

static int setup(void **state)
{
    int fd = mkstemp(subject_file);

    (void)state;
    return fd < 0 || write(fd, "eyJ.s.t\n", 8) != 8 || close(fd) != 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(subject_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_machine_has_google_sign, fresh),
        cmocka_unit_test_setup(a_federation_exchanges_acts_and_signs, fresh),
        cmocka_unit_test_setup(a_subject_s_token_may_come_from_a_url_and_in_json, fresh),
        cmocka_unit_test_setup(a_key_signs_here, fresh),
        cmocka_unit_test_setup(what_cannot_sign_is_refused_by_name, fresh),
        cmocka_unit_test_setup(a_machine_s_identity_is_for_one_audience, fresh),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
