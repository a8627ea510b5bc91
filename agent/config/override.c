#include "config/override.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/cursor.h"
#include "base/json.h"
#include "base/limits.h"
#include "config/flags.h"
#include "config/stanza.h"
#include "go/duration.h"
#include "go/numeral.h"

#define LOG_NAME  "vault.log" /* the original's, also for its agent */
#define RATE_MOST (1000 * 1000)

const char *override_get(config_getenv *getenv, const char *name)
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

/* ---------------------------------------------------------------------------------------------------- plain strings */

static const struct text_row {
    const char *variable; /* NULL: flag only */
    size_t flag;          /* in struct flags; NO_FLAG */
    size_t field;         /* in struct config */
} text_rows[] = {
#define NO_FLAG     ((size_t)-1)
#define FIELD(name) offsetof(struct config, vault.name)
#define FLAG(name)  offsetof(struct flags, name)
    {"ADDR", FLAG(address), FIELD(address)},
    {"CACERT", FLAG(ca_cert), FIELD(ca_cert)},
    {"CACERT_BYTES", NO_FLAG, FIELD(ca_pem)},
    {"CAPATH", FLAG(ca_path), FIELD(ca_path)},
    {"CLIENT_CERT_BYTES", NO_FLAG, FIELD(client_cert_pem)},
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

/* What does not fit is told once for the arena as a whole. */
static const char *copy(const struct apply *apply, const char *text)
{
    struct err err;
    const char *copied = arena_strndup(&apply->config->arena, text, strlen(text), &err);

    return copied ? copied : "";
}

static void apply_text(const struct apply *apply, const struct text_row *row)
{
    const char *text = flag_text(apply->flags, row->flag);

    if (!text)
        text = override_get(apply->getenv, row->variable);
    if (!text)
        return;
    text = copy(apply, text);
    memcpy((char *)apply->config + row->field, &text, sizeof(text));
}

/* ------------------------------------------------------------------------------------------------------ other kinds */

static void complain(const struct apply *apply, const char *what, const char *text)
{
    problems_add(apply->problems, PROBLEM_ERROR, "", (struct val_place){0, 0}, what, "%s", text);
}

/* The original takes any text for true, "false" too; a switch that drops all trust is read more carefully. */
static void apply_skip_verify(const struct apply *apply)
{
    const char *text = override_get(apply->getenv, "SKIP_VERIFY");

    if (apply->flags->tls_skip_verify >= 0)
        apply->config->vault.tls_skip_verify = apply->flags->tls_skip_verify;
    else if (text && !numeral_bool(str_of(text), &apply->config->vault.tls_skip_verify))
        complain(apply, "VAULT_SKIP_VERIFY", "must be true or false");
}

static void apply_retries(const struct apply *apply)
{
    const char *text = override_get(apply->getenv, "MAX_RETRIES");
    uint64_t retries;

    if (!text)
        return;
    if (cursor_whole_uint(text, 10, INT_MAX, &retries))
        apply->config->vault.num_retries = (int)retries;
    else
        complain(apply, "VAULT_MAX_RETRIES", "must be a number");
}

static void apply_timeout(const struct apply *apply)
{
    const char *text = override_get(apply->getenv, "CLIENT_TIMEOUT");
    int64_t ms;
    struct err err;

    if (!text)
        return;
    if (duration_setting(str_of(text), &ms, &err) == 0 && ms >= 0)
        apply->config->vault.timeout_ms = ms;
    else
        complain(apply, "VAULT_CLIENT_TIMEOUT", "must be a duration, for example 60s");
}

/* The word of flag, variable or file that counts, without blanks around it; "" for none. */
static const char *log_word(const struct apply *apply, const char *flag, const char *variable, struct config_word *word)
{
    const char *text = flag ? flag : override_get(apply->getenv, variable);
    char *copied;
    size_t len;

    if (text)
        *word = (struct config_word){.text = text};
    copied = (char *)copy(apply, word->text + strspn(word->text, " \t\r\n"));
    len = strlen(copied);
    while (len > 0 && strchr(" \t\r\n", copied[len - 1]))
        copied[--len] = '\0';
    return word->text = copied;
}

static void complain_word(const struct apply *apply, const struct config_word *word, const char *key, const char *text)
{
    problems_add(apply->problems, PROBLEM_ERROR, word->place.line ? config_file(apply->config, word->file) : "", word->place, key,
                 "%s", text);
}

static void apply_log(const struct apply *apply)
{
    struct config *config = apply->config;
    const char *level = log_word(apply, apply->flags->log_level, "LOG_LEVEL", &config->level_word);
    const char *format = log_word(apply, apply->flags->log_format, "LOG_FORMAT", &config->format_word);
    struct err err;

    if (*level && log_level_parse(level, &config->log_level, &err) != 0)
        complain_word(apply, &config->level_word, "log_level", "must be trace, debug, info, warn or error");
    if (*format && strcasecmp(format, "json") != 0 && strcasecmp(format, "standard") != 0)
        complain_word(apply, &config->format_word, "log_format", "must be standard or json");
    else if (*format)
        config->log_json = strcasecmp(format, "json") == 0;
}

/* One that is not set is empty, whatever `aad` says. */
static void apply_sinks(const struct apply *apply)
{
    struct config *config = apply->config;

    for (size_t i = 0; i < config->sink_count; i++) {
        const char *name = config->sinks[i].aad_env_var, *value = name[0] ? apply->getenv(name) : NULL;

        if (name[0])
            config->sinks[i].aad = value ? copy(apply, value) : "";
    }
}

/* ----------------------------------------------------------------------------------------------------- certificates */

static bool is_pem(const char *text)
{
    return strstr(text, "-----BEGIN") != NULL;
}

/* Base64 of PEM, as well as PEM. */
static const char *pem_text(const struct apply *apply, const char *text, const char *name)
{
    _cleanup_buf_ struct buf plain = {0};
    struct err err;

    if (is_pem(text))
        return copy(apply, text);
    buf_init_secret(&plain, LIMIT_CA_BYTES);
    if (base64_decode(text, strlen(text), &plain, &err) != 0 || !is_pem(plain.data)) {
        complain(apply, name, "must be PEM, or that in base64");
        return "";
    }
    return copy(apply, plain.data);
}

/* A pair of files counts more, and halves of both kinds do not make one. */
static void apply_pair(const struct apply *apply)
{
    struct config_vault *vault = &apply->config->vault;
    const char *key =
        apply->flags->client_key_pem ? apply->flags->client_key_pem : override_get(apply->getenv, "CLIENT_KEY_BYTES");

    if (vault->client_cert[0] || vault->client_key[0]) {
        vault->client_cert_pem = "";
        return;
    }
    if (vault->client_cert_pem[0])
        vault->client_cert_pem = pem_text(apply, vault->client_cert_pem, "VAULT_CLIENT_CERT_BYTES");
    if (key)
        vault->client_key_pem = pem_text(apply, key, "VAULT_CLIENT_KEY_BYTES");
}

void override_remember(struct flags *flags, config_getenv *getenv)
{
    const char *key = override_get(getenv, "CLIENT_KEY_BYTES");

    flags->client_key_pem = key ? mem_strdup(key) : NULL;
}

void override_forget(struct flags *flags)
{
    mem_wipe_str(flags->client_key_pem);
    mem_free(steal(flags->client_key_pem));
}

/* --------------------------------------------------------------------------------------------------------- requests */

/* "RATE" or "RATE:BURST", requests per second. One that is below 1 lets single requests through: with a burst of none, as the
 * original reckons, there would be none at all. */
static void apply_rate(const struct apply *apply)
{
    const char *text = override_get(apply->getenv, "RATE_LIMIT"), *colon = text ? strchr(text, ':') : NULL;
    size_t len = !text ? 0 : colon ? (size_t)(colon - text) : strlen(text);
    uint64_t burst = 0;
    double rate = 0;

    if (!text)
        return;
    if (numeral_float((struct str){text, len}, &rate) || !(rate >= 0.001) || rate > RATE_MOST ||
        (colon && !cursor_whole_uint(colon + 1, 10, RATE_MOST, &burst))) {
        complain(apply, "VAULT_RATE_LIMIT", "must be RATE or RATE:BURST, for example 10:20: requests per second");
        return;
    }
    apply->config->vault.rate = (int64_t)(rate * 1000);
    apply->config->vault.burst = colon ? (unsigned)burst : (unsigned)rate;
    if (apply->config->vault.burst == 0)
        apply->config->vault.burst = 1;
}

static void apply_redirects(const struct apply *apply)
{
    const char *text = override_get(apply->getenv, "DISABLE_REDIRECTS");

    if (apply->flags->disable_redirects >= 0)
        apply->config->vault.no_redirects = apply->flags->disable_redirects;
    else if (text && !numeral_bool(str_of(text), &apply->config->vault.no_redirects))
        complain(apply, "VAULT_DISABLE_REDIRECTS", "must be true or false");
}

static void add_header(struct config_vault *vault, struct http_header *list, const char *name, const char *value)
{
    list[vault->header_count++] = (struct http_header){name, value};
}

/* {"NAME": "VALUE", …} */
static void headers_of_variable(const struct apply *apply, const char *text, struct http_header *list)
{
    struct config_vault *vault = &apply->config->vault;
    struct err err;
    struct val v;

    if (json_read(text, strlen(text), NULL, &apply->config->arena, &v, &err) != 0 || v.kind != VAL_MAP) {
        complain(apply, "VAULT_HEADERS", "must be a JSON object of strings");
        return;
    }
    for (size_t i = 0; i < v.map.len; i++) {
        struct str name = v.map.pairs[i].key->s;
        const struct val *value = &v.map.pairs[i].value;

        if (strncasecmp(name.data, "X-Vault-", strlen("X-Vault-")) == 0)
            complain(apply, "VAULT_HEADERS", "X-Vault-* is set by the agent alone");
        else if (value->kind != VAL_STRING)
            complain(apply, "VAULT_HEADERS", "must be a JSON object of strings");
        else if (vault->header_count == LIMIT_EXTRA_HEADERS)
            complain(apply, "VAULT_HEADERS", "too many headers");
        else
            add_header(vault, list, name.data, value->s.data);
    }
}

static void apply_headers(const struct apply *apply)
{
    const char *text = override_get(apply->getenv, "HEADERS");
    const struct flags *flags = apply->flags;
    struct config_vault *vault = &apply->config->vault;
    struct http_header *list;
    struct err err;

    vault->header_count = 0;
    if (!text && !flags->header_count)
        return;
    list = arena_array(&apply->config->arena, LIMIT_EXTRA_HEADERS, sizeof(*list), &err);
    if (!list)
        return;
    for (size_t i = 0; i < flags->header_count; i++) {
        char *name = (char *)copy(apply, flags->headers[i]), *equals = strchr(name, '=');

        if (!equals)
            return; /* the arena is full, which is said elsewhere */
        *equals = '\0';
        add_header(vault, list, name, equals + 1);
    }
    if (text)
        headers_of_variable(apply, text, list);
    vault->headers = list;
}

/* ------------------------------------------------------------------------------------------------------------- logs */

static void apply_number(const char *text, int64_t *into)
{
    if (text && numeral_int(str_of(text), 0, into))
        *into = 0;
}

/* A name that ends in a slash is that of a folder. */
static void name_log_file(const struct apply *apply)
{
    struct log_file_options *file = &apply->config->log_file;
    size_t len = strlen(file->path);
    struct err err;
    char *full;

    if (len == 0 || file->path[len - 1] != '/')
        return;
    full = arena_alloc(&apply->config->arena, len + sizeof(LOG_NAME), &err);
    if (full)
        snprintf(full, len + sizeof(LOG_NAME), "%s" LOG_NAME, file->path);
    file->path = full ? full : "";
}

static void apply_log_file(const struct apply *apply)
{
    struct log_file_options *file = &apply->config->log_file;
    const struct flags *flags = apply->flags;
    struct err err;

    if (flags->log_file) {
        file->path = copy(apply, flags->log_file);
        apply->config->file_word = (struct config_word){.text = ""};
    }
    if (flags->log_rotate_duration && duration_setting(str_of(flags->log_rotate_duration), &file->rotate_ms, &err) != 0)
        complain(apply, "-log-rotate-duration", err.text);
    apply_number(flags->log_rotate_bytes, &file->rotate_bytes);
    apply_number(flags->log_rotate_max_files, &file->keep);
    apply->config->log_to_stdout = flags->combine_logs == 1;
    name_log_file(apply);
}

/* ----------------------------------------------------------------------------------- what means nothing to an agent */

static const struct {
    const char *name, *why;
} useless[] = {
    {"AGENT_ADDR", "is not used: an agent that asked an agent would ask itself"},
    {"WRAP_TTL",
     "is not used: an agent cannot work with wrapped answers; wrap_ttl of auto_auth.method or of a sink wraps the token"},
};

static void warn_useless(const struct apply *apply)
{
    char name[64];

    for (size_t i = 0; i < ARRAY_LEN(useless); i++) {
        snprintf(name, sizeof(name), "VAULT_%s", useless[i].name);
        if (override_get(apply->getenv, useless[i].name))
            problems_add(apply->problems, PROBLEM_WARNING, "", (struct val_place){0, 0}, name, "%s", useless[i].why);
    }
}

static void apply_services(const struct apply *apply)
{
    const char *text = override_get(apply->getenv, "SRV_LOOKUP");

    if (text && !numeral_bool(str_of(text), &apply->config->vault.services))
        complain(apply, "VAULT_SRV_LOOKUP", "must be true or false");
}

static const char *const subsystems[] = {"AGENT_DISABLE_IDLE_CONNECTIONS", "AGENT_DISABLE_KEEP_ALIVES"};

/* Blanks around it and capitals do not count here, as in the original. */
static bool is_subsystem(struct str word)
{
    char text[32];

    while (word.len && *word.data == ' ')
        word = (struct str){word.data + 1, word.len - 1};
    while (word.len && word.data[word.len - 1] == ' ')
        word.len--;
    if (word.len >= sizeof(text))
        return false;
    for (size_t i = 0; i < word.len; i++)
        text[i] = word.data[i] >= 'A' && word.data[i] <= 'Z' ? (char)(word.data[i] | 0x20) : word.data[i];
    return stanza_subsystem((struct str){text, word.len});
}

static void check_subsystems(const struct apply *apply)
{
    for (size_t i = 0; i < ARRAY_LEN(subsystems); i++) {
        const char *list = override_get(apply->getenv, subsystems[i]);
        char name[64];

        snprintf(name, sizeof(name), "VAULT_%s", subsystems[i]);
        for (size_t len; list && *list; list += len + (list[len] == ',')) {
            len = strcspn(list, ",");
            if (!is_subsystem((struct str){list, len}))
                complain(apply, name, "members are auto-auth, caching, proxying and templating");
        }
    }
}

/* ------------------------------------------------------------------------------------------------------ all of them */

/* Flag and variable count for everything. Without them the login may have its own, and what only one of the two has counts for
 * both. */
static void apply_namespace(const struct apply *apply)
{
    struct config *config = apply->config;
    bool given = apply->flags->namespace || override_get(apply->getenv, "NAMESPACE");

    config->vault.namespace = stanza_namespace(&config->arena, config->vault.namespace);
    if (!config->vault.namespace[0])
        config->vault.namespace = config->method.namespace;
    if (given || !config->method.namespace[0])
        config->method.namespace = config->vault.namespace;
}

void override_take_token(struct config *config, config_getenv *getenv)
{
    const char *text = override_get(getenv, "TOKEN");
    struct err err;

    text = text ? arena_strndup(&config->arena, text, strlen(text), &err) : NULL;
    if (text)
        config->vault.token = text;
}

void override_apply(struct config *config, const struct flags *flags, config_getenv *getenv, struct problems *problems)
{
    const struct apply apply = {config, flags, getenv, problems};

    for (size_t i = 0; i < ARRAY_LEN(text_rows); i++)
        apply_text(&apply, &text_rows[i]);
    apply_skip_verify(&apply);
    apply_retries(&apply);
    apply_timeout(&apply);
    apply_log(&apply);
    apply_sinks(&apply);
    apply_pair(&apply);
    apply_rate(&apply);
    apply_redirects(&apply);
    apply_headers(&apply);
    apply_log_file(&apply);
    check_subsystems(&apply);
    warn_useless(&apply);
    apply_services(&apply);
    if (flags->exit_after_auth >= 0)
        config->exit_after_auth = flags->exit_after_auth;
    if (!config->vault.address[0])
        config->vault.address = "https://127.0.0.1:8200";
    apply_namespace(&apply);
}
