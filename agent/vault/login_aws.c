#include "base/base64.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "identity/aws.h"
#include "identity/imds.h"
#include "vault/login.h"

#include <stdlib.h>
#include <string.h>

static const char *const types[] = {"iam", "ec2", NULL};

static const struct login_option options[] = {
    {"type", LOGIN_TEXT, true, NULL, "iam, or ec2 for the identity of a machine", NULL, types},
    {"role", LOGIN_TEXT, true, NULL, "the role of the server's AWS login"},
    {"header_value", LOGIN_TEXT, false, NULL, "iam: what the server expects in X-Vault-AWS-IAM-Server-ID"},
    {"region", LOGIN_TEXT, false, NULL, "iam: whose STS the server asks; the one of all regions, \"\": of the environment"},
    {"access_key", LOGIN_TEXT, false, NULL, "iam: a key, rather than what the environment, EKS, ECS or EC2 give"},
    {"secret_key", LOGIN_TEXT, false, NULL, "iam: its secret"},
    {"session_token", LOGIN_TEXT, false, NULL, "iam: its session's token"},
    {"credential_poll_interval", LOGIN_COUNT, false, "60",
     "iam: seconds between looks for other keys, with enable_reauth_on_new_credentials"},
    {"nonce", LOGIN_TEXT, false, NULL, "ec2: what a machine shows at each login after its first; made up if there is none"},
};

#define CALLER_IDENTITY "Action=GetCallerIdentity&Version=2011-06-15"
#define FORM            "application/x-www-form-urlencoded; charset=utf-8"
#define AGENT           "Ampule/" AMPULE_VERSION

struct own {
    struct aws *aws;
    struct imds imds;
    unsigned step;       /* of a machine's login */
    struct buf document; /* of that machine, secret */
    char nonce[37];
};

static int check(const struct val *config, struct err *err)
{
    const char *access_key = val_get_cstr(config, "access_key"), *secret_key = val_get_cstr(config, "secret_key");

    if ((access_key && *access_key) != (secret_key && *secret_key))
        return err_set(err, ERR_INPUT, "access_key and secret_key must be given together");
    return 0;
}

/* Random, in the form of a UUID. */
static void make_nonce(char nonce[37])
{
    static const unsigned char groups[] = {4, 2, 2, 2, 6};
    unsigned char bytes[6];

    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        digest_random(bytes, groups[i]);
        digest_hex(bytes, groups[i], nonce);
        nonce += 2 * groups[i];
        *nonce++ = i + 1 < ARRAY_LEN(groups) ? '-' : '\0';
    }
}

static void begin(struct login *login)
{
    const struct aws_options keys = {.access_key = val_get_cstr(&login->config, "access_key"),
                                     .secret_key = val_get_cstr(&login->config, "secret_key"),
                                     .session_token = val_get_cstr(&login->config, "session_token"),
                                     .region = val_get_cstr(&login->config, "region")};
    struct own *own = mem_alloc(sizeof(*own));

    own->aws = aws_new(&keys);
    make_nonce(own->nonce);
    login->own = own;
}

static void end(struct login *login)
{
    struct own *own = login->own;

    aws_free(own->aws);
    imds_done(&own->imds);
    buf_done(&own->document);
    mem_free(own);
}

static void reach(const struct login *login, struct reach *reach)
{
    const struct own *own = login->own;

    if (strcmp(login_text(login, "type"), "iam") == 0)
        aws_reach(own->aws, reach);
}

/* ----------------------------------------------------------------------------------------------------- type = "iam" */

/* Where the server is to ask who we are. The endpoint of all regions takes signatures for us-east-1 alone. */
struct sts {
    const char *region;
    struct buf url;
    char *host;
};

static void sts_done(struct sts *sts)
{
    buf_done(&sts->url);
    mem_free(sts->host);
}

static void sts_find(struct sts *sts, const struct login *login)
{
    const char *mode = getenv("AWS_STS_REGIONAL_ENDPOINTS");
    const struct own *own = login->own;

    sts->region = val_get_cstr(&login->config, "region") ? aws_region(own->aws) : NULL;
    sts->region = sts->region ? sts->region : "us-east-1";
    buf_init(&sts->url, LIMIT_URL_BYTES);
    aws_sts_url(&sts->url, strcmp(sts->region, "us-east-1") != 0 || (mode && strcmp(mode, "regional") == 0) ? sts->region : NULL);
    sts->host = mem_strndup(sts->url.data + strlen("https://"), sts->url.len - strlen("https:///"));
}

static void add_header(struct buf *json, const char *name, const char *value)
{
    buf_addc(json, json->len ? ',' : '{');
    json_write_str(json, str_of(name), JSON_NO_HTML);
    buf_adds(json, ":[");
    json_write_str(json, str_of(value), JSON_NO_HTML);
    buf_addc(json, ']');
}

/* The signed request, as the server will send it; append its headers as JSON. */
static int sign(const struct login *login, const struct sts *sts, struct buf *json, struct err *err)
{
    const struct sigv4_key *key = aws_key(((const struct own *)login->own)->aws);
    const char *server = login_text(login, "header_value");
    const struct sigv4_header headers[] = {{STR("Host"), str_of(sts->host)},
                                           {STR("Content-Length"), STR("43")},
                                           {STR("Content-Type"), STR(FORM)},
                                           {STR("X-Vault-AWS-IAM-Server-ID"), str_of(server ? server : "")}};
    const struct sigv4_request request = {.method = STR("POST"),
                                          .path = STR("/"),
                                          .query = STR(""),
                                          .body = STR(CALLER_IDENTITY),
                                          .headers = headers,
                                          .header_count = ARRAY_LEN(headers) - (server == NULL)};
    struct sigv4_scope scope = {.region = sts->region, .service = "sts"};
    _cleanup_buf_ struct buf authorization;

    _Static_assert(sizeof(CALLER_IDENTITY) - 1 == 43, "Content-Length");
    buf_init_secret(&authorization, LIMIT_TOKEN_BYTES);
    sigv4_date(clock_wall(), scope.date);
    if (sigv4_sign(&request, key, &scope, &authorization, err) != 0)
        return -1;
    add_header(json, "Authorization", authorization.data);
    add_header(json, "Content-Length", "43");
    add_header(json, "Content-Type", FORM);
    add_header(json, "User-Agent", AGENT);
    add_header(json, "X-Amz-Date", scope.date);
    if (key->session_token[0])
        add_header(json, "X-Amz-Security-Token", key->session_token);
    if (server)
        add_header(json, "X-Vault-Aws-Iam-Server-Id", server);
    buf_addc(json, '}');
    return buf_check(json, "signed request", err);
}

static void hash_key(const struct sigv4_key *key, unsigned char ret[DIGEST_SHA256_LEN])
{
    _cleanup_buf_ struct buf text;

    buf_init_secret(&text, 4 * LIMIT_TOKEN_BYTES);
    buf_addf(&text, "%s %s %s", key->access_key, key->secret_key, key->session_token);
    if (!buf_overflowed(&text))
        digest_sha256(text.data, text.len, ret);
}

static int describe(struct login *login, struct login_request *request, struct err *err)
{
    _cleanup_(sts_done) struct sts sts = {0};
    _cleanup_buf_ struct buf json, headers, url, body;

    sts_find(&sts, login);
    buf_init_secret(&json, 2 * LIMIT_TOKEN_BYTES);
    buf_init_secret(&headers, 3 * LIMIT_TOKEN_BYTES);
    buf_init(&url, KIB(1));
    buf_init(&body, KIB(1));
    if (buf_check(&sts.url, "region", err) != 0 || sign(login, &sts, &json, err) != 0)
        return -1;
    base64_encode(json.data, json.len, &headers);
    base64_encode(sts.url.data, sts.url.len, &url);
    base64_encode(CALLER_IDENTITY, strlen(CALLER_IDENTITY), &body);
    if (buf_check(&headers, "signed request", err) != 0 || buf_check(&url, "region", err) != 0)
        return -1;
    hash_key(aws_key(((const struct own *)login->own)->aws), request->credential);
    login_describe_put(login, request, "iam_http_request_method", "POST", "iam_request_body", body.data, "iam_request_headers",
                       headers.data, "iam_request_url", url.data, "role", login_text(login, "role"), NULL);
    return 0;
}

static int next_iam(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    int found = aws_next(((struct own *)login->own)->aws, told, &request->ask, err);

    return found <= 0 ? found : describe(login, request, err);
}

/* ----------------------------------------------------------------------------------------------------- type = "ec2" */

static int take_document(struct own *own, const struct told *told, struct err *err)
{
    if (told_check(told, "EC2's metadata service: identity document", err) != 0)
        return -1;
    buf_done(&own->document);
    buf_init_secret(&own->document, 2 * LIMIT_TOLD_BYTES);
    base64_encode(told->body.data, told->body.len, &own->document);
    return buf_check(&own->document, "identity document", err);
}

static int describe_machine(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    const struct own *own = login->own;
    const char *nonce = login_text(login, "nonce");

    if (told_check(told, "EC2's metadata service: signature of the identity document", err) != 0)
        return -1;
    login_describe_put(login, request, "identity", own->document.data, "nonce", nonce ? nonce : own->nonce, "role",
                       login_text(login, "role"), "signature", told->body.data, NULL);
    return 0;
}

static int next_ec2(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    struct own *own = login->own;

    if (imds_disabled())
        return err_set(err, ERR_INPUT, "type = \"ec2\" needs the metadata service, and AWS_EC2_METADATA_DISABLED is set");
    own->step = told ? own->step + 1 : 0;
    switch (own->step) {
    case 0:
        return imds_open(&own->imds, &request->ask, err);
    case 1:
        return imds_opened(&own->imds, told, err) != 0
                   ? -1
                   : imds_get(&own->imds, "dynamic/instance-identity/document", &request->ask, err);
    case 2:
        return take_document(own, told, err) != 0
                   ? -1
                   : imds_get(&own->imds, "dynamic/instance-identity/signature", &request->ask, err);
    default:
        return describe_machine(login, told, request, err);
    }
}

static int64_t look_ms(const struct login *login)
{
    return strcmp(login_text(login, "type"), "iam") == 0 ? login_count(login, "credential_poll_interval") * 1000 : 0;
}

static int next(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    return (strcmp(login_text(login, "type"), "iam") == 0 ? next_iam : next_ec2)(login, told, request, err);
}

const struct login_method login_aws = {"aws", options, ARRAY_LEN(options), next, look_ms, check, begin, end, reach};
