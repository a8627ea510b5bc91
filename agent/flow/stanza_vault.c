#include "flow/stanza.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

#define RETRIES 12
#define ROW(name, type, field, help) {name, type, offsetof(struct config_vault, field), help, NULL}

/* ------------------------------------------------------------------------------------ `vault` */

static const struct option retry_options[] = {
    ROW("num_retries", OPTION_INT, num_retries, "tries after a failed request; 0: 12; -1: none"),
};
static const struct stanza retry_stanza = {"vault.retry", retry_options, ARRAY_LEN(retry_options), false, false};

static void read_retry(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);

    if (block)
        option_read(reading, &retry_stanza, block, path, into);
}

static const struct option vault_options[] = {
    ROW("address", OPTION_TEXT, address, "https://HOST:PORT, http://HOST:PORT or unix:///PATH"),
    ROW("ca_cert", OPTION_TEXT, ca_cert, "PEM file of the certificate authorities to trust"),
    ROW("ca_path", OPTION_TEXT, ca_path, "folder of such files, or one file, when ca_cert is not given"),
    ROW("client_cert", OPTION_TEXT, client_cert, "PEM file of the client certificate"),
    ROW("client_key", OPTION_TEXT, client_key, "PEM file of its key"),
    ROW("tls_skip_verify", OPTION_BOOLISH, tls_skip_verify, "trust any certificate"),
    ROW("tls_server_name", OPTION_TEXT, tls_server_name, "name to expect in the server's certificate"),
    ROW("namespace", OPTION_TEXT, namespace, "namespace of the secrets, and of the login unless its method has one"),
    {"retry", OPTION_BLOCK, 0, "see vault.retry", read_retry},
};
static const struct stanza vault_table = {"vault", vault_options, ARRAY_LEN(vault_options), false, false};

void stanza_vault_default(struct config *config)
{
    config->vault = (struct config_vault){
        .address = "", .ca_cert = "", .ca_pem = "", .ca_path = "", .client_cert = "", .client_key = "", .tls_server_name = "",
        .namespace = "", .proxy = "", .token = "", .num_retries = RETRIES, .timeout_ms = INT64_C(60) * 1000};
}

static int retries(int written)
{
    if (written == 0)
        return RETRIES;
    return written < 0 ? 0 : written;
}

void stanza_vault(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);
    struct config *config = into;

    if (!block)
        return;
    stanza_vault_default(config);
    config->vault.num_retries = 0;
    option_read(reading, &vault_table, block, path, &config->vault);
    config->vault.num_retries = retries(config->vault.num_retries);
    config->vault.namespace = stanza_namespace(reading->arena, config->vault.namespace);
    config->vault.place = (struct val_place){block->line, block->column};
    config->vault.file = block->file;
}

const char *stanza_namespace(struct arena *arena, const char *name)
{
    size_t len;
    struct err err;
    char *copy;

    while (*name == '/')
        name++;
    len = strlen(name);
    while (len > 0 && name[len - 1] == '/')
        len--;
    copy = len ? arena_strndup(arena, name, len + 1, &err) : NULL;
    if (!copy)
        return "";
    copy[len] = '/';
    return copy;
}

/* -------------------------------------------------------------------------- `template_config` */

#undef ROW
#define ROW(name, type, field, help) {name, type, offsetof(struct config_render, field), help, NULL}

static const struct option render_options[] = {
    ROW("exit_on_retry_failure", OPTION_BOOL, exit_on_retry_failure, "end when a secret cannot be had in num_retries tries"),
    ROW("static_secret_render_interval", OPTION_SECONDS, static_secret_render_interval_ms,
        "how often secrets without a lease are read again"),
    ROW("max_connections_per_host", OPTION_INT, max_connections_per_host, "accepted; one connection is used"),
    ROW("lease_renewal_threshold", OPTION_FLOAT, lease_renewal_threshold,
        "part of a lease after which what cannot be renewed is read again"),
};
static const struct stanza render_table = {"template_config", render_options, ARRAY_LEN(render_options), false, false};

void stanza_template_config_default(struct config *config)
{
    config->render = (struct config_render){.static_secret_render_interval_ms = INT64_C(300) * 1000,
                                            .max_connections_per_host = 10,
                                            .lease_renewal_threshold = 0.90};
}

void stanza_template_config(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);
    struct config *config = into;

    if (!block)
        return;
    stanza_template_config_default(config);
    option_read(reading, &render_table, block, path, &config->render);
    if (config->render.static_secret_render_interval_ms == 0)
        config->render.static_secret_render_interval_ms = INT64_C(300) * 1000;
    if (config->render.lease_renewal_threshold <= 0 || config->render.lease_renewal_threshold > 1)
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "lease_renewal_threshold must be above 0 and at most 1");
}
