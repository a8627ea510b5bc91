#include "flow/environ.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cur.h"
#include "flow/flags.h"
#include "flow/stanza.h"

const char *environ_get(config_getenv *getenv, const char *name)
{
    static const char *const prefixes[] = {"BAO", "VAULT"};
    const char *value = NULL;
    char full[64];

    for (size_t i = 0; i < ARRAY_LEN(prefixes) && !value; i++) {
        snprintf(full, sizeof(full), "%s_%s", prefixes[i], name);
        value = getenv(full);
    }
    return value && *value ? value : NULL;
}

struct apply {
    struct config *config;
    const struct flags *flags;
    config_getenv *getenv;
    struct problems *problems;
};

/* ----------------------------------------------------------------------------- plain strings */

static const struct text_row {
    const char *variable; /* NULL: flag only */
    size_t flag;          /* in struct flags; NO_FLAG */
    size_t field;         /* in struct config */
} text_rows[] = {
#define NO_FLAG ((size_t)-1)
#define FIELD(name) offsetof(struct config, vault.name)
#define FLAG(name) offsetof(struct flags, name)
    {"ADDR", FLAG(address), FIELD(address)},
    {"CACERT", FLAG(ca_cert), FIELD(ca_cert)},
    {"CACERT_BYTES", NO_FLAG, FIELD(ca_pem)},
    {"CAPATH", FLAG(ca_path), FIELD(ca_path)},
    {"CLIENT_CERT", FLAG(client_cert), FIELD(client_cert)},
    {"CLIENT_KEY", FLAG(client_key), FIELD(client_key)},
    {"TLS_SERVER_NAME", FLAG(tls_server_name), FIELD(tls_server_name)},
    {"NAMESPACE", FLAG(namespace), FIELD(namespace)},
    {"HTTP_PROXY", NO_FLAG, FIELD(proxy)},
    {"PROXY_ADDR", NO_FLAG, FIELD(proxy)}, /* after HTTP_PROXY: it counts more */
};

static const char *flag_text(const struct flags *flags, size_t offset)
{
    const char *text = NULL;

    if (offset != NO_FLAG)
        memcpy(&text, (const char *)flags + offset, sizeof(text));
    return text;
}

static void apply_text(const struct apply *apply, const struct text_row *row)
{
    const char *text = flag_text(apply->flags, row->flag);
    struct err err;

    if (!text)
        text = environ_get(apply->getenv, row->variable);
    if (!text)
        return;
    text = arena_strndup(&apply->config->arena, text, strlen(text), &err);
    if (text)
        memcpy((char *)apply->config + row->field, &text, sizeof(text));
}

/* ------------------------------------------------------------------------------ other kinds */

static void complain(const struct apply *apply, const char *what, const char *text)
{
    problems_add(apply->problems, PROBLEM_ERROR, "", (struct val_place){0, 0}, what, "%s", text);
}

static bool parse_bool(const char *text, bool *ret)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *ret = strcmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

/* The original takes any text for true, "false" too; a switch that drops all trust is read more carefully. */
static void apply_skip_verify(const struct apply *apply)
{
    const char *text = environ_get(apply->getenv, "SKIP_VERIFY");

    if (apply->flags->tls_skip_verify >= 0)
        apply->config->vault.tls_skip_verify = apply->flags->tls_skip_verify;
    else if (text && !parse_bool(text, &apply->config->vault.tls_skip_verify))
        complain(apply, "VAULT_SKIP_VERIFY", "must be true or false");
}

static void apply_retries(const struct apply *apply)
{
    const char *text = environ_get(apply->getenv, "MAX_RETRIES");
    uint64_t retries;

    if (!text)
        return;
    if (cur_whole_uint(text, 10, INT_MAX, &retries))
        apply->config->vault.num_retries = (int)retries;
    else
        complain(apply, "VAULT_MAX_RETRIES", "must be a number");
}

static void apply_timeout(const struct apply *apply)
{
    const char *text = environ_get(apply->getenv, "CLIENT_TIMEOUT");
    int64_t ms;
    struct err err;

    if (!text)
        return;
    if (cur_duration(text, strlen(text), &ms, &err) == 0 && ms >= 0)
        apply->config->vault.timeout_ms = ms;
    else
        complain(apply, "VAULT_CLIENT_TIMEOUT", "must be a duration, for example 60s");
}

static void apply_log(const struct apply *apply)
{
    const char *level = apply->flags->log_level, *format = apply->flags->log_format;
    struct err err;

    if (!level)
        level = environ_get(apply->getenv, "LOG_LEVEL");
    if (!format)
        format = environ_get(apply->getenv, "LOG_FORMAT");
    if (level && *level && log_level_parse(level, &apply->config->log_level, &err) != 0)
        complain(apply, "log level", "must be trace, debug, info, warn or error");
    if (format && *format && strcasecmp(format, "json") != 0 && strcasecmp(format, "standard") != 0)
        complain(apply, "log format", "must be standard or json");
    else if (format && *format)
        apply->config->log_json = strcasecmp(format, "json") == 0;
}

static void warn_unsupported(const struct apply *apply)
{
    static const char *const names[] = {"CLIENT_CERT_BYTES", "CLIENT_KEY_BYTES", "RATE_LIMIT", "SRV_LOOKUP"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (environ_get(apply->getenv, names[i]))
            problems_add(apply->problems, PROBLEM_WARNING, "", (struct val_place){0, 0}, "environment",
                         "not supported yet: VAULT_%s", names[i]);
    }
    if (apply->flags->log_file)
        problems_add(apply->problems, PROBLEM_WARNING, "", (struct val_place){0, 0}, "-log-file",
                     "not supported yet; logs go to standard error");
}

/* Flag and variable count for everything. Without them the login may have its own, and what only one of the two has counts for both. */
static void apply_namespace(const struct apply *apply)
{
    struct config *config = apply->config;
    bool given = apply->flags->namespace || environ_get(apply->getenv, "NAMESPACE");

    config->vault.namespace = stanza_namespace(&config->arena, config->vault.namespace);
    if (!config->vault.namespace[0])
        config->vault.namespace = config->method.namespace;
    if (given || !config->method.namespace[0])
        config->method.namespace = config->vault.namespace;
}

void environ_take_token(struct config *config, config_getenv *getenv)
{
    const char *text = environ_get(getenv, "TOKEN");
    struct err err;

    text = text ? arena_strndup(&config->arena, text, strlen(text), &err) : NULL;
    if (text)
        config->vault.token = text;
}

void environ_apply(struct config *config, const struct flags *flags, config_getenv *getenv, struct problems *problems)
{
    const struct apply apply = {config, flags, getenv, problems};

    for (size_t i = 0; i < ARRAY_LEN(text_rows); i++)
        apply_text(&apply, &text_rows[i]);
    apply_skip_verify(&apply);
    apply_retries(&apply);
    apply_timeout(&apply);
    apply_log(&apply);
    warn_unsupported(&apply);
    if (flags->exit_after_auth >= 0)
        config->exit_after_auth = flags->exit_after_auth;
    if (!config->vault.address[0])
        config->vault.address = "https://127.0.0.1:8200";
    apply_namespace(&apply);
}
