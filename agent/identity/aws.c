#include "identity/aws.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "identity/imds.h"
#include "identity/profile.h"
#include "identity/xml.h"
#include "os/environ.h"
#include "os/file.h"

/* What a place says. */
enum word {
    REFUSED = -1,
    ASKS,  /* a question is described */
    FOUND, /* here they are */
    EMPTY, /* nothing here: the next place */
};

struct aws {
    struct aws_options options;
    struct arena arena; /* secret: of this round */
    size_t place;       /* whose turn it is */
    unsigned step;      /* of that place */
    struct imds imds;
    struct sigv4_key key;
    int64_t ends_at;
};

/* ---------------------------------------------------------------------------------------------------------- helpers */

/* NULL for what is not set or empty. */
/* "2026-01-31T12:00:00Z" */
static int64_t moment_read(const char *text)
{
    struct tm tm = {0};

    return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? (int64_t)timegm(&tm) * 1000 : CLOCK_NEVER;
}

static enum word take(struct aws *aws, struct str access_key, struct str secret_key, struct str session_token, struct err *err)
{
    aws->key = (struct sigv4_key){.access_key = arena_strndup(&aws->arena, access_key.data, access_key.len, err),
                                  .secret_key = arena_strndup(&aws->arena, secret_key.data, secret_key.len, err),
                                  .session_token = arena_strndup(&aws->arena, session_token.data, session_token.len, err)};
    if (arena_check(&aws->arena, err) != 0)
        return REFUSED;
    /* They end up in headers and in JSON. */
    for (const char *p = aws->key.access_key; *p; p++)
        if (*p <= ' ' || *p > '~')
            return err_set(err, ERR_INPUT, "the access key holds a byte that none has");
    return FOUND;
}

/* ------------------------------------------------------------------------------- the configuration, the environment */

static enum word from_options(struct aws *aws, const struct told *told, struct ask *ask, struct err *err)
{
    const struct aws_options *options = &aws->options;

    (void)told;
    (void)ask;
    if (!options->access_key || !options->access_key[0])
        return EMPTY;
    return take(aws, str_of(options->access_key), str_of(options->secret_key),
                str_of(options->session_token ? options->session_token : ""), err);
}

static enum word from_environment(struct aws *aws, const struct told *told, struct ask *ask, struct err *err)
{
    const char *access_key = environ_get("AWS_ACCESS_KEY_ID"), *secret_key = environ_get("AWS_SECRET_ACCESS_KEY");
    const char *token = environ_get("AWS_SESSION_TOKEN");

    (void)told;
    (void)ask;
    if (!access_key && !secret_key)
        return EMPTY;
    if (!access_key || !secret_key)
        return err_set(err, ERR_INPUT, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together");
    token = token ? token : environ_get("AWS_SECURITY_TOKEN");
    aws->ends_at = moment_read(environ_get("AWS_CREDENTIAL_EXPIRATION"));
    return take(aws, str_of(access_key), str_of(secret_key), str_of(token ? token : ""), err);
}

/* ----------------------------------------------------------------------------------------------------- web identity */

void aws_sts_url(struct buf *ret, const char *region)
{
    static const struct {
        const char *prefix, *suffix;
    } partitions[] = {
        {"cn-", "amazonaws.com.cn"},    {"eusc-", "amazonaws.eu"}, {"us-isob-", "sc2s.sgov.gov"},
        {"us-isof-", "csp.hci.ic.gov"}, {"us-iso-", "c2s.ic.gov"}, {"eu-isoe-", "cloud.adc-e.uk"},
        {"", "amazonaws.com"},
    };
    size_t i = 0;

    while (region && strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) != 0)
        i++;
    if (region)
        buf_addf(ret, "https://sts.%s.%s/", region, partitions[i].suffix);
    else
        buf_adds(ret, "https://sts.amazonaws.com/");
}

static int begin_sts(const struct aws *aws, struct ask *ask, struct err *err)
{
    const char *endpoint = environ_get("AWS_ENDPOINT_URL_STS");
    _cleanup_buf_ struct buf url;

    buf_init(&url, LIMIT_URL_BYTES);
    endpoint = endpoint ? endpoint : environ_get("AWS_ENDPOINT_URL");
    if (endpoint)
        buf_adds(&url, endpoint);
    else
        aws_sts_url(&url, aws_region(aws));
    if (buf_check(&url, "address of STS", err) != 0)
        return -1;
    return ask_begin(ask, "POST", url.data, err) != 0 ? err_wrap(err, "address of STS") : 0;
}

static enum word ask_sts(struct aws *aws, const char *role, const char *session, const char *file, struct ask *ask,
                         struct err *err)
{
    _cleanup_buf_ struct buf token = {0};
    char name[64];

    if (file_read_token(file, &token, err) != 0)
        return err_wrap(err, "web identity token");
    snprintf(name, sizeof(name), "ampule-%lld", (long long)(clock_wall() / 1000));
    if (begin_sts(aws, ask, err) != 0)
        return REFUSED;
    ask_header(ask, "Accept", "text/xml");
    ask_form(ask, "Action", "AssumeRoleWithWebIdentity");
    ask_form(ask, "Version", "2011-06-15");
    ask_form(ask, "RoleArn", role);
    ask_form(ask, "RoleSessionName", session ? session : name);
    ask_form(ask, "WebIdentityToken", token.data);
    return ASKS;
}

/* A code of STS is a word of letters and dots; nothing else of the answer is believed to be fit for a log. */
static int refused_by_sts(const struct told *told, struct err *err)
{
    _cleanup_buf_ struct buf code;
    bool plain;

    buf_init(&code, 64);
    plain = xml_text(told->body, "Code", &code) && !buf_overflowed(&code) && code.len;
    for (size_t i = 0; plain && i < code.len; i++)
        plain =
            (code.data[i] >= 'A' && code.data[i] <= 'Z') || (code.data[i] >= 'a' && code.data[i] <= 'z') || code.data[i] == '.';
    if (told_check(told, "STS: AssumeRoleWithWebIdentity", err) == 0 || !plain)
        return -1;
    return err_set(err, told->status >= 500 ? ERR_RETRY : ERR_DENIED,
                   "STS: AssumeRoleWithWebIdentity: refused with status %d, %s", told->status, code.data);
}

static bool xml_take(struct aws *aws, struct str credentials, const char *name, struct str *ret)
{
    _cleanup_buf_ struct buf text;
    struct err err;

    buf_init_secret(&text, LIMIT_TOLD_BYTES);
    if (!xml_text(credentials, name, &text) || buf_overflowed(&text))
        return false;
    *ret = (struct str){arena_strndup(&aws->arena, text.data, text.len, &err), text.len};
    return ret->data != NULL && ret->len != 0;
}

static enum word take_sts(struct aws *aws, const struct told *told, struct err *err)
{
    struct str credentials, access_key, secret_key, token, end;

    if (told->status < 200 || told->status > 299)
        return refused_by_sts(told, err);
    if (!xml_inside(told->body, "Credentials", &credentials) || !xml_take(aws, credentials, "AccessKeyId", &access_key) ||
        !xml_take(aws, credentials, "SecretAccessKey", &secret_key) || !xml_take(aws, credentials, "SessionToken", &token))
        return err_set(err, ERR_INPUT, "STS: AssumeRoleWithWebIdentity: the answer has no credentials");
    if (xml_take(aws, credentials, "Expiration", &end))
        aws->ends_at = moment_read(end.data);
    return take(aws, access_key, secret_key, token, err);
}

static enum word from_web_identity(struct aws *aws, const struct told *told, struct ask *ask, struct err *err)
{
    const char *role = environ_get("AWS_ROLE_ARN"), *file = environ_get("AWS_WEB_IDENTITY_TOKEN_FILE");

    if (!role || !file)
        return EMPTY;
    if (told)
        return take_sts(aws, told, err);
    return ask_sts(aws, role, environ_get("AWS_ROLE_SESSION_NAME"), file, ask, err);
}

/* ---------------------------------------------------------------------------------------------------- profile files */

enum { CREDENTIALS, CONFIG, PROFILE_FILES };

static const struct profile_file {
    const char *variable, *name, *prefix; /* of its sections */
} profile_files[PROFILE_FILES] = {
    [CREDENTIALS] = {"AWS_SHARED_CREDENTIALS_FILE", "credentials", ""},
    [CONFIG] = {"AWS_CONFIG_FILE", "config", "profile"},
};

/* "" when there is no such file to be thought of. */
static void profile_path(const struct profile_file *file, char ret[PATH_MAX])
{
    const char *given = environ_get(file->variable), *home = environ_get("HOME");
    int len = -1;

    ret[0] = '\0';
    if (given && strncmp(given, "~/", 2) == 0 && home)
        len = snprintf(ret, PATH_MAX, "%s%s", home, given + 1);
    else if (given)
        len = snprintf(ret, PATH_MAX, "%s", given);
    else if (home)
        len = snprintf(ret, PATH_MAX, "%s/.aws/%s", home, file->name);
    if (len < 0 || len >= PATH_MAX)
        ret[0] = '\0';
}

/* The two files of a round. */
struct profiles {
    struct buf text[PROFILE_FILES];
    const char *name;
};

static void profiles_done(struct profiles *profiles)
{
    for (size_t i = 0; i < PROFILE_FILES; i++)
        buf_done(&profiles->text[i]);
}

static int profiles_read(struct profiles *profiles, struct err *err)
{
    profiles->name = environ_get("AWS_PROFILE") ? environ_get("AWS_PROFILE") : "default";
    for (size_t i = 0; i < PROFILE_FILES; i++) {
        char path[PATH_MAX];

        profile_path(&profile_files[i], path);
        if (path[0] && file_read(path, LIMIT_PROFILE_BYTES, &profiles->text[i], err) != 0 && err->code != ERR_MISSING)
            return err_wrap(err, "AWS profiles");
    }
    return 0;
}

static const char *prefix_of(const struct profiles *profiles, size_t file)
{
    return strcmp(profiles->name, "default") == 0 ? "" : profile_files[file].prefix;
}

static bool profiles_get(const struct profiles *profiles, const char *key, struct str *ret)
{
    for (size_t i = 0; i < PROFILE_FILES; i++) {
        struct str text = {profiles->text[i].data, profiles->text[i].len};

        if (text.len && profile_get(text, prefix_of(profiles, i), profiles->name, key, ret))
            return true;
    }
    return false;
}

static bool profiles_has(const struct profiles *profiles)
{
    for (size_t i = 0; i < PROFILE_FILES; i++) {
        struct str text = {profiles->text[i].data, profiles->text[i].len};

        if (text.len && profile_has(text, prefix_of(profiles, i), profiles->name))
            return true;
    }
    return false;
}

/* Ways that a profile may name and that need programs, other profiles or a browser. */
static int check_unsupported(const struct profiles *profiles, struct err *err)
{
    static const char *const keys[] = {"credential_process", "credential_source", "source_profile", "sso_session",
                                       "sso_start_url"};
    struct str value;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (profiles_get(profiles, keys[i], &value))
            return err_set(
                err, ERR_INPUT,
                "AWS profile \"%s\": %s is not supported; give it aws_access_key_id and aws_secret_access_key, or role_arn and "
                "web_identity_token_file",
                profiles->name, keys[i]);
    return 0;
}

static enum word ask_for_profile(struct aws *aws, const struct profiles *profiles, struct ask *ask, struct err *err)
{
    struct str role, file, session = {0};
    char role_text[2049], file_text[PATH_MAX], session_text[65];

    if (!profiles_get(profiles, "role_arn", &role) || !profiles_get(profiles, "web_identity_token_file", &file))
        return EMPTY;
    profiles_get(profiles, "role_session_name", &session);
    if (role.len >= sizeof(role_text) || file.len >= sizeof(file_text) || session.len >= sizeof(session_text))
        return err_set(err, ERR_LIMIT, "AWS profile \"%s\": a value is longer than AWS allows", profiles->name);
    snprintf(role_text, sizeof(role_text), "%.*s", (int)role.len, role.data);
    snprintf(file_text, sizeof(file_text), "%.*s", (int)file.len, file.data);
    snprintf(session_text, sizeof(session_text), "%.*s", (int)session.len, session.len ? session.data : "");
    return ask_sts(aws, role_text, session_text[0] ? session_text : NULL, file_text, ask, err);
}

static enum word from_profiles(struct aws *aws, const struct told *told, struct ask *ask, struct err *err)
{
    _cleanup_(profiles_done) struct profiles profiles = {0};
    struct str access_key, secret_key, token = STR("");

    if (told)
        return take_sts(aws, told, err);
    if (profiles_read(&profiles, err) != 0)
        return REFUSED;
    if (!profiles_has(&profiles))
        return environ_get("AWS_PROFILE") ? err_set(err, ERR_MISSING, "AWS_PROFILE: there is no profile \"%s\"", profiles.name)
                                          : EMPTY;
    if (profiles_get(&profiles, "aws_access_key_id", &access_key)) {
        if (!profiles_get(&profiles, "aws_secret_access_key", &secret_key))
            return err_set(err, ERR_INPUT, "AWS profile \"%s\": aws_secret_access_key is missing", profiles.name);
        profiles_get(&profiles, "aws_session_token", &token);
        return take(aws, access_key, secret_key, token, err);
    }
    return check_unsupported(&profiles, err) != 0 ? REFUSED : ask_for_profile(aws, &profiles, ask, err);
}

/* ---------------------------------------------------------------------------- answers in JSON: containers, machines */

static enum word take_json(struct aws *aws, const struct told *told, const char *what, struct err *err)
{
    const char *code, *access_key, *secret_key, *token;
    struct val object;

    if (told_object(told, what, &aws->arena, &object, err) != 0)
        return REFUSED;
    code = val_get_cstr(&object, "Code");
    access_key = val_get_cstr(&object, "AccessKeyId");
    secret_key = val_get_cstr(&object, "SecretAccessKey");
    token = val_get_cstr(&object, "Token");
    if ((code && strcmp(code, "Success") != 0) || !access_key || !*access_key || !secret_key || !*secret_key)
        return err_set(err, ERR_RETRY, "%s: the answer has no credentials", what);
    aws->ends_at = moment_read(val_get_cstr(&object, "Expiration"));
    return take(aws, str_of(access_key), str_of(secret_key), str_of(token ? token : ""), err);
}

/* Over plain HTTP a token may go only to what is on this machine or its link. */
static bool is_near(const char *url)
{
    static const char *const hosts[] = {"localhost", "169.254.170.2", "169.254.170.23", "fd00:ec2::23", "::1"};
    const char *host = url + strlen("http://") + (url[strlen("http://")] == '[');
    size_t len = strcspn(host, host[-1] == '[' ? "]" : ":/?#@");
    struct in_addr address;
    char text[64];

    if (len >= sizeof(text) || host[len] == '@')
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)len, host);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        if (strcmp(text, hosts[i]) == 0)
            return true;
    return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static int add_container_token(struct ask *ask, struct err *err)
{
    const char *file = environ_get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
               *given = environ_get("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    _cleanup_buf_ struct buf token = {0};

    if (file && file_read_token(file, &token, err) != 0)
        return err_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (!file && !given)
        return 0;
    given = file ? token.data : given;
    if (strpbrk(given, "\r\n"))
        return err_set(err, ERR_INPUT, "%s: the token has more than one line",
                       file ? "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" : "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    ask_header(ask, "Authorization", given);
    return 0;
}

static enum word from_container(struct aws *aws, const struct told *told, struct ask *ask, struct err *err)
{
    const char *relative = environ_get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
               *full = environ_get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    _cleanup_buf_ struct buf url;

    buf_init(&url, LIMIT_URL_BYTES);
    if (!relative && !full)
        return EMPTY;
    if (told)
        return take_json(aws, told, "AWS credentials of the container", err);
    if (relative)
        buf_adds(&url, "http://169.254.170.2");
    buf_adds(&url, relative ? relative : full);
    if (buf_check(&url, "AWS_CONTAINER_CREDENTIALS_FULL_URI", err) != 0)
        return REFUSED;
    if (strncmp(url.data, "https://", strlen("https://")) != 0 &&
        (strncmp(url.data, "http://", strlen("http://")) != 0 || !is_near(url.data)))
        return err_set(err, ERR_INPUT,
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI: plain HTTP goes to this machine, ECS and EKS only; use https://");
    if (ask_begin(ask, "GET", url.data, err) != 0)
        return REFUSED;
    ask->near = strncmp(url.data, "http://", strlen("http://")) == 0;
    ask_header(ask, "Accept", "application/json");
    return add_container_token(ask, err) != 0 ? REFUSED : ASKS;
}

#define ROLES "meta-data/iam/security-credentials/"

/* The first line names the machine's role. */
static enum word ask_for_role(struct aws *aws, const struct told *told, struct ask *ask, struct err *err)
{
    char path[sizeof(ROLES) + 128];
    size_t len;

    if (told->status == 404)
        return err_set(err, ERR_MISSING, "EC2's metadata service: the machine has no role (instance profile)");
    if (told_check(told, "EC2's metadata service: role", err) != 0)
        return REFUSED;
    len = strcspn(told->body.data, "\r\n");
    if (len == 0 || len > 128 || strcspn(told->body.data, "/?#% ") < len)
        return err_set(err, ERR_INPUT, "EC2's metadata service: role: the answer is no name");
    snprintf(path, sizeof(path), ROLES "%.*s", (int)len, told->body.data);
    return imds_get(&aws->imds, path, ask, err);
}

static enum word from_machine(struct aws *aws, const struct told *told, struct ask *ask, struct err *err)
{
    if (imds_disabled())
        return EMPTY;
    switch (aws->step++) {
    case 0:
        return imds_open(&aws->imds, ask, err);
    case 1:
        return imds_opened(&aws->imds, told, err) != 0 ? REFUSED : imds_get(&aws->imds, ROLES, ask, err);
    case 2:
        return ask_for_role(aws, told, ask, err);
    default:
        return take_json(aws, told, "EC2's metadata service: credentials", err);
    }
}

/* -------------------------------------------------------------------------------------------------------- the chain */

static const struct place {
    const char *name;
    enum word (*look)(struct aws *aws, const struct told *told, struct ask *ask, struct err *err);
} places[] = {
    {"the configuration", from_options}, {"the environment", from_environment},       {"a web identity", from_web_identity},
    {"a profile", from_profiles},        {"the container's service", from_container}, {"the machine's metadata", from_machine},
};

struct aws *aws_new(const struct aws_options *options)
{
    struct aws *aws = mem_alloc(sizeof(*aws));

    aws->options = *options;
    return aws;
}

void aws_free(struct aws *aws)
{
    if (!aws)
        return;
    imds_done(&aws->imds);
    arena_done(&aws->arena);
    mem_free(aws);
}

static void begin_round(struct aws *aws)
{
    imds_done(&aws->imds);
    arena_done(&aws->arena);
    arena_init_secret(&aws->arena, 4 * LIMIT_TOLD_BYTES, "keys of AWS");
    aws->key = (struct sigv4_key){0};
    aws->ends_at = CLOCK_NEVER;
    aws->place = 0;
    aws->step = 0;
}

int aws_next(struct aws *aws, const struct told *told, struct ask *ask, struct err *err)
{
    enum word word = EMPTY;

    if (!told)
        begin_round(aws);
    for (; aws->place < ARRAY_LEN(places); aws->place++) {
        word = places[aws->place].look(aws, told, ask, err);
        if (word != EMPTY)
            break;
    }
    if (word == EMPTY)
        return err_set(
            err, ERR_MISSING,
            "no AWS credentials: neither access_key, nor the environment, nor a web identity, a profile, a container's service; and "
            "AWS_EC2_METADATA_DISABLED is set");
    return word == REFUSED ? err_wrap(err, "AWS credentials of %s", places[aws->place].name) : word == FOUND;
}

const struct sigv4_key *aws_key(const struct aws *aws)
{
    return &aws->key;
}

const char *aws_source(const struct aws *aws)
{
    return places[aws->place].name;
}

int64_t aws_ends_at(const struct aws *aws)
{
    return aws->ends_at;
}

const char *aws_region(const struct aws *aws)
{
    if (aws->options.region && aws->options.region[0])
        return aws->options.region;
    return environ_get("AWS_REGION") ? environ_get("AWS_REGION") : environ_get("AWS_DEFAULT_REGION");
}

void aws_reach(const struct aws *aws, struct reach *reach)
{
    static const char *const variables[] = {"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"};
    _cleanup_(profiles_done) struct profiles profiles = {0};
    char path[PATH_MAX];
    struct str file;
    struct err ignored;

    (void)aws;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        if (environ_get(variables[i]))
            reach_file(reach, environ_get(variables[i]), REACH_READ);
    for (size_t i = 0; i < PROFILE_FILES; i++) {
        profile_path(&profile_files[i], path);
        reach_file(reach, path, REACH_READ);
    }
    if (profiles_read(&profiles, &ignored) == 0 && profiles_get(&profiles, "web_identity_token_file", &file) &&
        file.len < sizeof(path)) {
        snprintf(path, sizeof(path), "%.*s", (int)file.len, file.data);
        reach_file(reach, path, REACH_READ);
    }
}
