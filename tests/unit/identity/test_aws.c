#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "identity/aws.h"
#include "support/environment.h"

/* One question and what comes back; the last has no method. */
struct turn {
    const char *asks; /* "GET http://host/path" */
    int status;
    const char *body;
};

static char folder[] = "/tmp/ampule-test-aws-XXXXXX";

static const char *file(const char *name, const char *text)
{
    static char path[4][128];
    static unsigned next;
    char *p = path[next++ % 4];
    FILE *f;

    snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
    if (text) {
        f = fopen(p, "w");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
    }
    return p;
}

static int fresh(void **state)
{
    (void)state;
    environment_empty();
    setenv("HOME", "/nowhere", 1);
    return 0;
}

static struct ask last; /* of the last question, for a closer look */

static int play(struct aws *aws, const struct turn *turns, struct err *err)
{
    struct told told = {.challenge = ""};
    struct err silent;
    int rc;

    err_set(&silent, ERR_RETRY, "timed out");
    for (size_t i = 0;; i++) {
        char asked[512];

        ask_done(&last);
        rc = aws_next(aws, i ? &told : NULL, &last, err);
        if (rc != 0)
            break;
        snprintf(asked, sizeof(asked), "%s %s%s", last.method, last.origin, last.path.data);
        assert_non_null(turns[i].asks);
        assert_string_equal(asked, turns[i].asks);
        told.status = turns[i].status;
        told.body = str_of(turns[i].body ? turns[i].body : "");
        told.err = told.status ? NULL : &silent;
    }
    return rc;
}

static void finds(const struct aws_options *options, const struct turn *turns, const char *access_key, const char *secret_key,
                  const char *token, const char *source)
{
    struct aws *aws = aws_new(options);
    struct err err = {0};

    if (play(aws, turns, &err) != 1)
        fail_msg("%s", err.text);
    assert_string_equal(aws_key(aws)->access_key, access_key);
    assert_string_equal(aws_key(aws)->secret_key, secret_key);
    assert_string_equal(aws_key(aws)->session_token, token);
    assert_string_equal(aws_source(aws), source);
    aws_free(aws);
}

static void fails(const struct turn *turns, const char *text)
{
    struct aws *aws = aws_new(&(struct aws_options){0});
    struct err err = {0};

    assert_int_equal(play(aws, turns, &err), -1);
    assert_string_equal(err.text, text);
    aws_free(aws);
}

static const struct turn nothing[] = {{0}};

static void the_configuration_comes_first_then_the_environment(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "AKENV", 1);
    fails(nothing, "AWS credentials of the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together");
    setenv("AWS_SECRET_ACCESS_KEY", "SKENV", 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere", 1);
    setenv("AWS_ROLE_ARN", "arn", 1);
    finds(&(struct aws_options){0}, nothing, "AKENV", "SKENV", "", "the environment");
    setenv("AWS_SECURITY_TOKEN", "OLD", 1);
    finds(&(struct aws_options){0}, nothing, "AKENV", "SKENV", "OLD", "the environment");
    setenv("AWS_SESSION_TOKEN", "NEW", 1);
    finds(&(struct aws_options){0}, nothing, "AKENV", "SKENV", "NEW", "the environment");
    finds(&(struct aws_options){.access_key = "AK", .secret_key = "SK"}, nothing, "AK", "SK", "", "the configuration");
}

#define STS_ANSWER                                                                                                  \
    "<AssumeRoleWithWebIdentityResponse xmlns=\"x\"><AssumeRoleWithWebIdentityResult><AssumedRoleUser><Arn>a</Arn>" \
    "</AssumedRoleUser><Credentials><SessionToken>TOKEN//=</SessionToken><SecretAccessKey>SK/w</SecretAccessKey>"   \
    "<Expiration>2026-01-31T12:00:00Z</Expiration><AccessKeyId>ASIA</AccessKeyId></Credentials>"                    \
    "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"

static void a_web_identity_is_exchanged(void **state)
{
    const struct turn everywhere[] = {{"POST https://sts.amazonaws.com/", 200, STS_ANSWER}, {0}};
    const struct turn ireland[] = {{"POST https://sts.eu-west-1.amazonaws.com/", 200, STS_ANSWER}, {0}};
    const struct turn endpoint[] = {{"POST http://127.0.0.1:5000/", 200, STS_ANSWER}, {0}};
    struct aws *aws = aws_new(&(struct aws_options){0});
    struct err err;

    (void)state;
    setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r", 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file("token", "eyJ.a.b\n"), 1);
    setenv("AWS_ROLE_SESSION_NAME", "s 1", 1);
    finds(&(struct aws_options){0}, everywhere, "ASIA", "SK/w", "TOKEN//=", "a web identity");
    assert_int_equal(play(aws, everywhere, &err), 1);
    assert_int_equal(aws_ends_at(aws), INT64_C(1769860800000));
    aws_free(aws);
    setenv("AWS_REGION", "eu-west-1", 1);
    finds(&(struct aws_options){0}, ireland, "ASIA", "SK/w", "TOKEN//=", "a web identity");
    setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:5000", 1);
    finds(&(struct aws_options){0}, endpoint, "ASIA", "SK/w", "TOKEN//=", "a web identity");
    unlink(file("token", NULL));
}

static void sts_is_asked_with_a_form(void **state)
{
    struct aws *aws = aws_new(&(struct aws_options){0});
    _cleanup_ask_ struct ask ask = {0};
    struct err err;

    (void)state;
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r", 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file("token", "eyJ.a.b\n"), 1);
    setenv("AWS_ROLE_SESSION_NAME", "s 1", 1);
    assert_int_equal(aws_next(aws, NULL, &ask, &err), 0);
    assert_string_equal(ask.body.data,
                        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&"
                        "RoleSessionName=s%201&WebIdentityToken=eyJ.a.b");
    aws_free(aws);
    unlink(file("token", NULL));
}

static void refusals_of_sts_have_its_code_and_nothing_else(void **state)
{
    const struct turn refused[] = {
        {"POST https://sts.amazonaws.com/", 403,
         "<ErrorResponse><Error><Code>AccessDenied</Code><Message>hunter2</Message></Error></ErrorResponse>"},
        {0}};
    const struct turn odd[] = {{"POST https://sts.amazonaws.com/", 400, "<Error><Code>hunter2!</Code></Error>"}, {0}};
    const struct turn empty[] = {{"POST https://sts.amazonaws.com/", 200, "<html>hunter2"}, {0}};
    const struct turn silent[] = {{"POST https://sts.amazonaws.com/", 0, NULL}, {0}};

    (void)state;
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r", 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file("token", "t"), 1);
    fails(refused, "AWS credentials of a web identity: STS: AssumeRoleWithWebIdentity: refused with status 403, AccessDenied");
    fails(odd, "AWS credentials of a web identity: STS: AssumeRoleWithWebIdentity: refused with status 400");
    fails(empty, "AWS credentials of a web identity: STS: AssumeRoleWithWebIdentity: the answer has no credentials");
    fails(silent, "AWS credentials of a web identity: STS: AssumeRoleWithWebIdentity: timed out");
    unlink(file("token", NULL));
}

static void profiles_have_keys_or_a_web_identity(void **state)
{
    const struct turn web[] = {{"POST https://sts.amazonaws.com/", 200, STS_ANSWER}, {0}};
    char config[512];

    (void)state;
    setenv("AWS_SHARED_CREDENTIALS_FILE",
           file("credentials", "[default]\naws_access_key_id=AK\naws_secret_access_key=SK\n[half]\naws_access_key_id=AK\n"), 1);
    snprintf(config, sizeof(config),
             "[profile web]\nrole_arn = r\nweb_identity_token_file = %s\n[profile sso]\nsso_start_url = https://x\n",
             file("token", "t"));
    setenv("AWS_CONFIG_FILE", file("config", config), 1);
    finds(&(struct aws_options){0}, nothing, "AK", "SK", "", "a profile");
    setenv("AWS_PROFILE", "web", 1);
    finds(&(struct aws_options){0}, web, "ASIA", "SK/w", "TOKEN//=", "a profile");
    setenv("AWS_PROFILE", "half", 1);
    fails(nothing, "AWS credentials of a profile: AWS profile \"half\": aws_secret_access_key is missing");
    setenv("AWS_PROFILE", "sso", 1);
    fails(nothing,
          "AWS credentials of a profile: AWS profile \"sso\": sso_start_url is not supported; give it aws_access_key_id and "
          "aws_secret_access_key, or role_arn and web_identity_token_file");
    setenv("AWS_PROFILE", "none", 1);
    fails(nothing, "AWS credentials of a profile: AWS_PROFILE: there is no profile \"none\"");
    unlink(file("credentials", NULL));
    unlink(file("config", NULL));
    unlink(file("token", NULL));
}

static void a_profile_file_that_is_too_large_is_refused(void **state)
{
    _cleanup_free_ char *text = mem_alloc(LIMIT_PROFILE_BYTES + 2);
    struct aws *aws = aws_new(&(struct aws_options){0});
    struct ask ask = {0};
    struct err err;

    (void)state;
    memset(text, '\n', LIMIT_PROFILE_BYTES + 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", file("credentials", text), 1);
    assert_int_equal(aws_next(aws, NULL, &ask, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    aws_free(aws);
    unlink(file("credentials", NULL));
}

#define KEYS "{\"AccessKeyId\":\"AC\",\"SecretAccessKey\":\"SC\",\"Token\":\"TC\",\"Expiration\":\"2026-01-31T12:00:00Z\"}"

static void containers_are_asked_with_their_token(void **state)
{
    const struct turn ecs[] = {{"GET http://169.254.170.2/v2/credentials/x", 200, KEYS}, {0}};
    const struct turn eks[] = {{"GET http://169.254.170.23/v1/credentials", 200, KEYS}, {0}};
    const struct turn six[] = {{"GET http://[fd00:ec2::23]/v1/credentials", 200, KEYS}, {0}};
    const struct turn far[] = {{"GET https://elsewhere.example/x", 200, KEYS}, {0}};
    static const char *const refused[] = {"http://elsewhere.example/x",
                                          "http://169.254.170.23@elsewhere.example/x",
                                          "http://",
                                          "http://127.0.0.1.elsewhere.example/",
                                          "http://[::2]/",
                                          "ftp://localhost/",
                                          "localhost"};

    (void)state;
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials", 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file("token", "raw-token\n"), 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "other", 1);
    finds(&(struct aws_options){0}, eks, "AC", "SC", "TC", "the container's service");
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://[fd00:ec2::23]/v1/credentials", 1);
    finds(&(struct aws_options){0}, six, "AC", "SC", "TC", "the container's service");
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://elsewhere.example/x", 1);
    finds(&(struct aws_options){0}, far, "AC", "SC", "TC", "the container's service");
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", refused[i], 1);
        fails(nothing, "AWS credentials of the container's service: AWS_CONTAINER_CREDENTIALS_FULL_URI: plain HTTP goes to this "
                       "machine, ECS and EKS only; use https://");
    }
    setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x", 1);
    finds(&(struct aws_options){0}, ecs, "AC", "SC", "TC", "the container's service");
    file("token", "two\nlines");
    fails(nothing,
          "AWS credentials of the container's service: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: the token has more than one line");
    unlink(file("token", NULL));
}

static void the_container_s_token_is_sent_raw(void **state)
{
    struct aws *aws = aws_new(&(struct aws_options){0});
    _cleanup_ask_ struct ask ask = {0};
    struct err err;

    (void)state;
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:8080/x", 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "raw", 1);
    assert_int_equal(aws_next(aws, NULL, &ask, &err), 0);
    assert_true(ask.near);
    assert_int_equal(ask.header_count, 2);
    assert_string_equal(ask.headers[1].name, "Authorization");
    assert_string_equal(ask.headers[1].value.data, "raw");
    aws_free(aws);
}

#define IMDS "http://169.254.169.254/latest/"

static void a_machine_s_role_comes_from_its_metadata(void **state)
{
    const struct turn two[] = {{"PUT " IMDS "api/token", 200, "SESSION"},
                               {"GET " IMDS "meta-data/iam/security-credentials/", 200, "role-1\nother"},
                               {"GET " IMDS "meta-data/iam/security-credentials/role-1", 200, KEYS},
                               {0}};
    const struct turn one[] = {{"PUT " IMDS "api/token", 0, NULL},
                               {"GET " IMDS "meta-data/iam/security-credentials/", 200, "role-1"},
                               {"GET " IMDS "meta-data/iam/security-credentials/role-1", 200, KEYS},
                               {0}};
    const struct turn no_role[] = {
        {"PUT " IMDS "api/token", 200, "SESSION"}, {"GET " IMDS "meta-data/iam/security-credentials/", 404, "<html>"}, {0}};
    const struct turn refused[] = {{"PUT " IMDS "api/token", 400, "hunter2"}, {0}};
    const struct turn odd[] = {
        {"PUT " IMDS "api/token", 200, "SESSION"}, {"GET " IMDS "meta-data/iam/security-credentials/", 200, "../x"}, {0}};
    const struct turn failed[] = {
        {"PUT " IMDS "api/token", 200, "SESSION"},
        {"GET " IMDS "meta-data/iam/security-credentials/", 200, "r"},
        {"GET " IMDS "meta-data/iam/security-credentials/r", 200, "{\"Code\":\"AssumeRoleUnauthorizedAccess\"}"},
        {0}};

    (void)state;
    finds(&(struct aws_options){0}, two, "AC", "SC", "TC", "the machine's metadata");
    finds(&(struct aws_options){0}, one, "AC", "SC", "TC", "the machine's metadata");
    fails(no_role,
          "AWS credentials of the machine's metadata: EC2's metadata service: the machine has no role (instance profile)");
    fails(refused, "AWS credentials of the machine's metadata: EC2's metadata service: session: refused with status 400");
    fails(odd, "AWS credentials of the machine's metadata: EC2's metadata service: role: the answer is no name");
    fails(failed,
          "AWS credentials of the machine's metadata: EC2's metadata service: credentials: the answer has no credentials");
    setenv("AWS_EC2_METADATA_V1_DISABLED", "true", 1);
    fails(one, "AWS credentials of the machine's metadata: EC2's metadata service: session: timed out");
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    fails(nothing,
          "no AWS credentials: neither access_key, nor the environment, nor a web identity, a profile, a container's service; "
          "and AWS_EC2_METADATA_DISABLED is set");
}

static void the_session_s_token_goes_along(void **state)
{
    struct aws *aws = aws_new(&(struct aws_options){0});
    const struct told told = {.status = 200, .body = STR("SESSION"), .challenge = ""};
    struct ask ask = {0};
    struct err err;

    (void)state;
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6", 1);
    assert_int_equal(aws_next(aws, NULL, &ask, &err), 0);
    assert_string_equal(ask.origin, "http://[fd00:ec2::254]");
    assert_string_equal(ask.headers[0].name, "X-aws-ec2-metadata-token-ttl-seconds");
    assert_true(ask.near && ask.once);
    ask_done(&ask);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338/", 1);
    assert_int_equal(aws_next(aws, &told, &ask, &err), 0);
    assert_string_equal(ask.origin, "http://127.0.0.1:1338");
    assert_string_equal(ask.headers[0].name, "X-aws-ec2-metadata-token");
    assert_string_equal(ask.headers[0].value.data, "SESSION");
    ask_done(&ask);
    aws_free(aws);
}

static void each_region_has_its_sts(void **state)
{
    static const struct {
        const char *region, *url;
    } rows[] = {{NULL, "https://sts.amazonaws.com/"},
                {"eu-west-1", "https://sts.eu-west-1.amazonaws.com/"},
                {"us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com/"},
                {"cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn/"},
                {"us-iso-east-1", "https://sts.us-iso-east-1.c2s.ic.gov/"},
                {"us-isob-east-1", "https://sts.us-isob-east-1.sc2s.sgov.gov/"},
                {"eusc-de-east-1", "https://sts.eusc-de-east-1.amazonaws.eu/"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_buf_ struct buf url;

        buf_init(&url, 256);
        aws_sts_url(&url, rows[i].region);
        assert_string_equal(url.data, rows[i].url);
    }
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ask_done(&last);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_configuration_comes_first_then_the_environment, fresh),
        cmocka_unit_test_setup(a_web_identity_is_exchanged, fresh),
        cmocka_unit_test_setup(sts_is_asked_with_a_form, fresh),
        cmocka_unit_test_setup(refusals_of_sts_have_its_code_and_nothing_else, fresh),
        cmocka_unit_test_setup(profiles_have_keys_or_a_web_identity, fresh),
        cmocka_unit_test_setup(a_profile_file_that_is_too_large_is_refused, fresh),
        cmocka_unit_test_setup(containers_are_asked_with_their_token, fresh),
        cmocka_unit_test_setup(the_container_s_token_is_sent_raw, fresh),
        cmocka_unit_test_setup(a_machine_s_role_comes_from_its_metadata, fresh),
        cmocka_unit_test_setup(the_session_s_token_goes_along, fresh),
        cmocka_unit_test_setup(each_region_has_its_sts, fresh),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
