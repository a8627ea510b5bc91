#include "identity/google.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "go/key.h"
#include "identity/percent.h"
#include "os/environ.h"
#include "os/file.h"

#define SCOPE "https://www.googleapis.com/auth/cloud-platform"

enum step {
    BEGIN,
    SUBJECT,   /* the subject's token of a federation was asked for */
    EXCHANGED, /* STS was asked for an access token */
    ACTING,    /* and IAM for one of the service account */
    NAMED,     /* the metadata service was asked for the account's name */
    TOKEN,     /* and for its access token */
    SIGNED,    /* IAM was asked to sign */
};

struct google {
    struct google_options options;
    struct arena arena; /* secret: of this round */
    enum step step;
    struct val credentials; /* missing: the metadata service */
    const char *account, *token, *jwt;
};

static const char *given(const char *option)
{
    return option && *option ? option : NULL;
}

static const char *keep(struct google *google, const char *text, size_t len, struct err *err)
{
    return arena_strndup(&google->arena, text, len, err);
}

/* ------------------------------------------------------------------------------------------------------ credentials */

enum { HOME_FILES = 2 };

/* "" when there is no home. */
static void home_file(size_t i, char ret[PATH_MAX])
{
    const char *home = environ_get("HOME"), *gcloud = environ_get("CLOUDSDK_CONFIG");
    int len = -1;

    ret[0] = '\0';
    if (i == 1 && gcloud)
        len = snprintf(ret, PATH_MAX, "%s/application_default_credentials.json", gcloud);
    else if (home)
        len = snprintf(ret, PATH_MAX, i == 0 ? "%s/.gcp/credentials" : "%s/.config/gcloud/application_default_credentials.json",
                       home);
    if (len < 0 || len >= PATH_MAX)
        ret[0] = '\0';
}

static int parse(struct google *google, const char *what, struct str text, struct err *err)
{
    static const struct json_options options = {.flags = JSON_SECRET, .members = 1000};

    if (json_read(text.data, text.len, &options, &google->arena, &google->credentials, err) != 0)
        return err_wrap(err, "%s", what);
    return google->credentials.kind == VAL_MAP ? 0 : err_set(err, ERR_INPUT, "%s: not a JSON object", what);
}

static int parse_file(struct google *google, const char *path, bool wanted, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (!path[0] || (file_read(path, LIMIT_TOKEN_BYTES, &text, err) != 0 && err->code == ERR_MISSING && !wanted))
        return 0;
    if (!text.data)
        return err_wrap(err, "Google credentials");
    return parse(google, path, (struct str){text.data, text.len}, err);
}

static int find(struct google *google, struct err *err)
{
    const char *text = given(google->options.credentials), *file = environ_get("GOOGLE_APPLICATION_CREDENTIALS");
    char path[PATH_MAX];

    if (text)
        return parse(google, "credentials", str_of(text), err);
    text = environ_get("GOOGLE_CREDENTIALS") ? environ_get("GOOGLE_CREDENTIALS") : environ_get("GOOGLE_CLOUD_KEYFILE_JSON");
    if (text)
        return text[0] == '{' ? parse(google, "GOOGLE_CREDENTIALS", str_of(text), err) : parse_file(google, text, true, err);
    if (file)
        return parse_file(google, file, true, err);
    for (size_t i = 0; i < HOME_FILES && val_is_nil(&google->credentials); i++) {
        home_file(i, path);
        if (parse_file(google, path, false, err) != 0)
            return -1;
    }
    return 0;
}

static const char *field(const struct google *google, const char *name)
{
    return given(val_get_cstr(&google->credentials, name));
}

/* --------------------------------------------------------------------------------------------------- what is signed */

static void add_claim(struct buf *json, const char *name, const char *value)
{
    buf_addc(json, json->len ? ',' : '{');
    json_write_str(json, str_of(name), JSON_NO_HTML);
    buf_addc(json, ':');
    json_write_str(json, str_of(value), JSON_NO_HTML);
}

static int make_payload(struct google *google, const char *audience, int64_t life_s, struct buf *ret, struct err *err)
{
    int64_t now = clock_wall() / 1000;

    buf_init_secret(ret, KIB(8));
    add_claim(ret, "aud", audience);
    add_claim(ret, "sub", google->account);
    buf_addf(ret, ",\"exp\":%lld}", (long long)(now + life_s));
    return buf_check(ret, "claims", err);
}

static void add_url64(struct buf *ret, const void *data, size_t len)
{
    _cleanup_buf_ struct buf text;

    buf_init_secret(&text, LIMIT_TOKEN_BYTES);
    base64_encode(data, len, &text);
    if (buf_spread(ret, &text))
        return;
    for (size_t i = 0; i < text.len && text.data[i] != '='; i++)
        buf_addc(ret, text.data[i] == '+' ? '-' : text.data[i] == '/' ? '_' : text.data[i]);
}

/* "header.claims", and with its signature behind. */
static int sign_here(struct google *google, const struct buf *payload, struct err *err)
{
    const char *pem = field(google, "private_key"), *id = field(google, "private_key_id");
    _cleanup_key_ struct key *key = NULL;
    _cleanup_buf_ struct buf header, jwt, signature;

    buf_init_secret(&header, KIB(4));
    buf_init_secret(&jwt, LIMIT_TOKEN_BYTES);
    buf_init_secret(&signature, KIB(4));
    if (!pem || key_read(str_of(pem), true, &key, err) != 0 || key_kind(key) != KEY_RSA)
        return err_set(err, ERR_INPUT, "Google credentials: private_key is no RSA key in PEM");
    add_claim(&header, "alg", "RS256");
    add_claim(&header, "typ", "JWT");
    add_claim(&header, "kid", id ? id : "");
    buf_addc(&header, '}');
    add_url64(&jwt, header.data, header.len);
    buf_addc(&jwt, '.');
    add_url64(&jwt, payload->data, payload->len);
    if (buf_check(&header, "header", err) != 0 || buf_check(&jwt, "claims", err) != 0 ||
        key_sign(key, jwt.data, jwt.len, &signature, err) != 0)
        return -1;
    buf_addc(&jwt, '.');
    add_url64(&jwt, signature.data, signature.len);
    if (buf_check(&jwt, "signed token", err) != 0)
        return -1;
    google->jwt = keep(google, jwt.data, jwt.len, err);
    return google->jwt ? 1 : -1;
}

/* ----------------------------------------------------------------------------------------------------- Google's IAM */

static int ask_with_token(const struct google *google, const char *url, const struct buf *body, struct ask *ask, struct err *err)
{
    _cleanup_buf_ struct buf bearer;

    buf_init_secret(&bearer, LIMIT_TOKEN_BYTES);
    buf_addf(&bearer, "Bearer %s", google->token);
    if (buf_check(&bearer, "access token", err) != 0 || buf_check(body, "request", err) != 0 ||
        ask_begin(ask, "POST", url, err) != 0)
        return -1;
    ask_header(ask, "Authorization", bearer.data);
    ask_header(ask, "Content-Type", "application/json");
    ask->has_body = true;
    buf_add(&ask->body, body->data, body->len);
    return 0;
}

/* "…/projects/-/serviceAccounts/ACCOUNT:signJwt", at the place of the file's own impersonation when it names one. */
static int ask_to_sign(struct google *google, const struct buf *payload, struct ask *ask, struct err *err)
{
    const char *acting = field(google, "service_account_impersonation_url"),
               *own = environ_get("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS");
    const char *path = acting ? strstr(acting, "/v1/projects/") : NULL;
    _cleanup_buf_ struct buf url, body;

    buf_init(&url, LIMIT_URL_BYTES);
    buf_init_secret(&body, KIB(16));
    if (path)
        buf_add(&url, acting, (size_t)(path - acting));
    else if (own)
        buf_add(&url, own, strlen(own) - (own[strlen(own) - 1] == '/'));
    else
        buf_addf(&url, "https://iamcredentials.%s",
                 field(google, "universe_domain") ? field(google, "universe_domain") : "googleapis.com");
    buf_adds(&url, "/v1/projects/-/serviceAccounts/");
    percent_encode(&url, str_of(google->account), "@");
    buf_adds(&url, ":signJwt");
    add_claim(&body, "payload", payload->data);
    buf_addc(&body, '}');
    if (buf_check(&url, "address of IAM", err) != 0)
        return -1;
    google->step = SIGNED;
    return ask_with_token(google, url.data, &body, ask, err);
}

static int take_signed(struct google *google, const struct told *told, struct err *err)
{
    struct val object;

    if (told_object(told, "Google IAM: signJwt", &google->arena, &object, err) != 0)
        return -1;
    google->jwt = given(val_get_cstr(&object, "signedJwt"));
    return google->jwt ? 1 : err_set(err, ERR_INPUT, "Google IAM: signJwt: the answer has no token");
}

/* ------------------------------------------------------------------------------------------------------- federation */

/* "…/serviceAccounts/ACCOUNT:generateAccessToken" */
static const char *account_of(struct google *google, struct err *err)
{
    const char *url = field(google, "service_account_impersonation_url");
    const char *at = url ? strstr(url, "/serviceAccounts/") : NULL;

    at = at ? at + strlen("/serviceAccounts/") : NULL;
    return at ? keep(google, at, strcspn(at, ":/?"), err) : NULL;
}

/* The subject's token: a text, or one member of a JSON object. */
static int take_subject(struct google *google, struct str text, const char **ret, struct err *err)
{
    static const struct json_options options = {.flags = JSON_SECRET, .members = 1000};
    const struct val *format = val_get(val_get(&google->credentials, "credential_source"), "format");
    const char *type = val_get_cstr(format, "type"), *name = val_get_cstr(format, "subject_token_field_name");
    struct val object;

    if (type && strcmp(type, "json") == 0) {
        if (json_read(text.data, text.len, &options, &google->arena, &object, err) != 0)
            return err_wrap(err, "Google federation: subject's token");
        *ret = name ? given(val_get_cstr(&object, name)) : NULL;
    } else {
        while (text.len && strchr(" \t\r\n", text.data[text.len - 1]))
            text.len--;
        *ret = text.len ? keep(google, text.data, text.len, err) : NULL;
    }
    return *ret ? 0 : err_set(err, ERR_INPUT, "Google federation: the credential source holds no token");
}

static int ask_exchange(struct google *google, struct str text, struct ask *ask, struct err *err)
{
    static const char *const wanted[] = {"audience", "subject_token_type", "token_url"};
    const char *subject;

    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (!field(google, wanted[i]))
            return err_set(err, ERR_INPUT, "Google federation: %s is missing", wanted[i]);
    if (take_subject(google, text, &subject, err) != 0 || ask_begin(ask, "POST", field(google, "token_url"), err) != 0)
        return -1;
    google->step = EXCHANGED;
    ask_form(ask, "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
    ask_form(ask, "audience", field(google, "audience"));
    ask_form(ask, "scope", SCOPE);
    ask_form(ask, "requested_token_type", "urn:ietf:params:oauth:token-type:access_token");
    ask_form(ask, "subject_token", subject);
    ask_form(ask, "subject_token_type", field(google, "subject_token_type"));
    return 0;
}

static int ask_subject(struct google *google, struct ask *ask, struct err *err)
{
    const struct val *source = val_get(&google->credentials, "credential_source"), *headers = val_get(source, "headers");
    const char *file = given(val_get_cstr(source, "file")), *url = given(val_get_cstr(source, "url"));
    _cleanup_buf_ struct buf text = {0};

    if (file) {
        if (file_read(file, LIMIT_TOKEN_BYTES, &text, err) != 0)
            return err_wrap(err, "Google federation: credential source");
        return ask_exchange(google, (struct str){text.data, text.len}, ask, err);
    }
    if (!url || val_get_cstr(source, "environment_id"))
        return err_set(err, ERR_INPUT, "Google federation: only credential sources with \"file\" or \"url\" are supported");
    if (ask_begin(ask, "GET", url, err) != 0)
        return err_wrap(err, "Google federation: credential source");
    google->step = SUBJECT;
    for (size_t i = 0; headers && headers->kind == VAL_MAP && i < headers->map.len && i < ASK_HEADERS; i++)
        if (headers->map.pairs[i].value.kind == VAL_STRING)
            ask_header(ask, headers->map.pairs[i].key->s.data, headers->map.pairs[i].value.s.data);
    return 0;
}

static int take_token(struct google *google, const struct told *told, const char *name, const char *what, struct err *err)
{
    struct val object;

    if (told_object(told, what, &google->arena, &object, err) != 0)
        return -1;
    google->token = given(val_get_cstr(&object, name));
    return google->token ? 0 : err_set(err, ERR_INPUT, "%s: the answer has no token", what);
}

static int ask_to_act(struct google *google, struct ask *ask, struct err *err)
{
    _cleanup_buf_ struct buf body;

    buf_init_secret(&body, KIB(1));
    buf_adds(&body, "{\"delegates\":[],\"scope\":[\"" SCOPE "\"],\"lifetime\":\"3600s\"}");
    google->step = ACTING;
    return ask_with_token(google, field(google, "service_account_impersonation_url"), &body, ask, err);
}

/* --------------------------------------------------------------------------------------------------------- metadata */

static int ask_metadata(const char *account, const char *what, struct ask *ask, struct err *err)
{
    const char *host = environ_get("GCE_METADATA_HOST") ? environ_get("GCE_METADATA_HOST") : environ_get("GCE_METADATA_ROOT");
    _cleanup_buf_ struct buf url;

    buf_init(&url, LIMIT_URL_BYTES);
    buf_addf(&url, "http://%s/computeMetadata/v1/instance/service-accounts/", host ? host : "metadata.google.internal");
    percent_encode(&url, str_of(account), "@");
    buf_addf(&url, "/%s", what);
    if (buf_check(&url, "GCE_METADATA_HOST", err) != 0 || ask_begin(ask, "GET", url.data, err) != 0)
        return -1;
    ask->near = true;
    ask_header(ask, "Metadata-Flavor", "Google");
    return 0;
}

int google_ask_identity(const char *service_account, const char *audience, struct ask *ask, struct err *err)
{
    if (ask_metadata(given(service_account) ? service_account : "default", "identity", ask, err) != 0)
        return -1;
    ask_query(ask, "audience", audience);
    ask_query(ask, "format", "full");
    return 0;
}

static int take_name(struct google *google, const struct told *told, struct err *err)
{
    size_t len;

    if (told_check(told, "Google's metadata service: service account", err) != 0)
        return -1;
    len = strcspn(told->body.data, " \t\r\n<>");
    if (!len || told->body.data[len + strspn(told->body.data + len, "\r\n")])
        return err_set(err, ERR_INPUT, "Google's metadata service: service account: the answer is no name");
    google->account = keep(google, told->body.data, len, err);
    return google->account ? 0 : -1;
}

/* ----------------------------------------------------------------------------------------------------------- rounds */

struct google *google_new(const struct google_options *options)
{
    struct google *google = mem_alloc(sizeof(*google));

    google->options = *options;
    return google;
}

void google_free(struct google *google)
{
    if (!google)
        return;
    arena_done(&google->arena);
    mem_free(google);
}

const char *google_jwt(const struct google *google)
{
    return google->jwt;
}

/* As whoever is known by now. */
static int ask_signature(struct google *google, const char *audience, int64_t life_s, struct ask *ask, struct err *err)
{
    _cleanup_buf_ struct buf payload;

    if (make_payload(google, audience, life_s, &payload, err) != 0)
        return -1;
    return ask_to_sign(google, &payload, ask, err);
}

static int begin_key(struct google *google, const char *audience, int64_t life_s, struct err *err)
{
    const char *email = field(google, "client_email");
    _cleanup_buf_ struct buf payload = {0};

    if (!email)
        return err_set(err, ERR_INPUT, "Google credentials: client_email is missing");
    if (google->account && strcmp(google->account, email) != 0)
        return err_set(err, ERR_INPUT,
                       "Google credentials: the key is of %s, service_account says %s: one account can sign for itself only",
                       email, google->account);
    google->account = email;
    return make_payload(google, audience, life_s, &payload, err) != 0 ? -1 : sign_here(google, &payload, err);
}

static int begin_federation(struct google *google, struct ask *ask, struct err *err)
{
    if (!google->account)
        google->account = account_of(google, err);
    if (!google->account)
        return err_set(err, ERR_INPUT, "Google federation: service_account is missing: nobody says whose token to sign");
    return ask_subject(google, ask, err);
}

static int begin_machine(struct google *google, struct ask *ask, struct err *err)
{
    google->step = google->account ? TOKEN : NAMED;
    return ask_metadata("default", google->account ? "token" : "email", ask, err);
}

static int begin_round(struct google *google, const char *audience, int64_t life_s, struct ask *ask, struct err *err)
{
    const char *type;

    arena_done(&google->arena);
    arena_init_secret(&google->arena, 8 * LIMIT_TOKEN_BYTES, "Google credentials");
    google->credentials = (struct val){0};
    google->token = google->jwt = NULL;
    google->account = given(google->options.service_account);
    if (find(google, err) != 0)
        return -1;
    if (val_is_nil(&google->credentials))
        return begin_machine(google, ask, err);
    type = field(google, "type");
    if (type && strcmp(type, "service_account") == 0)
        return begin_key(google, audience, life_s, err);
    if (type && strcmp(type, "external_account") == 0)
        return begin_federation(google, ask, err);
    return err_set(err, ERR_INPUT,
                   "Google credentials: type \"%.32s\" is not supported: service_account and external_account are",
                   type ? type : "");
}

int google_sign(struct google *google, const char *audience, int64_t life_s, const struct told *told, struct ask *ask,
                struct err *err)
{
    switch (told ? google->step : BEGIN) {
    case BEGIN:
        return begin_round(google, audience, life_s, ask, err);
    case SUBJECT:
        return told_check(told, "Google federation: credential source", err) != 0 ? -1
                                                                                  : ask_exchange(google, told->body, ask, err);
    case EXCHANGED:
        if (take_token(google, told, "access_token", "Google STS", err) != 0)
            return -1;
        return field(google, "service_account_impersonation_url") ? ask_to_act(google, ask, err)
                                                                  : ask_signature(google, audience, life_s, ask, err);
    case ACTING:
        return take_token(google, told, "accessToken", "Google IAM: generateAccessToken", err) != 0
                   ? -1
                   : ask_signature(google, audience, life_s, ask, err);
    case NAMED:
        return take_name(google, told, err) != 0 ? -1 : begin_machine(google, ask, err);
    case TOKEN:
        return take_token(google, told, "access_token", "Google's metadata service: token", err) != 0
                   ? -1
                   : ask_signature(google, audience, life_s, ask, err);
    default:
        return take_signed(google, told, err);
    }
}

void google_reach(const struct google *google, struct reach *reach)
{
    struct google look = {.options = google->options};
    const char *source;
    char path[PATH_MAX];
    struct err ignored;

    if (environ_get("GOOGLE_APPLICATION_CREDENTIALS"))
        reach_file(reach, environ_get("GOOGLE_APPLICATION_CREDENTIALS"), REACH_READ);
    for (size_t i = 0; i < HOME_FILES; i++) {
        home_file(i, path);
        reach_file(reach, path, REACH_READ);
    }
    arena_init_secret(&look.arena, 8 * LIMIT_TOKEN_BYTES, "Google credentials");
    source = find(&look, &ignored) == 0 ? val_get_cstr(val_get(&look.credentials, "credential_source"), "file") : NULL;
    if (source)
        reach_file(reach, source, REACH_READ);
    arena_done(&look.arena);
}
