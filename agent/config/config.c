#include "config/config.h"

#include "base/limits.h"

struct config_vault config_vault_default(void)
{
    return (struct config_vault){
        .address = "",
        .ca_cert = "",
        .ca_pem = "",
        .ca_path = "",
        .client_cert = "",
        .client_key = "",
        .client_cert_pem = "",
        .client_key_pem = "",
        .tls_server_name = "",
        .namespace = "",
        .proxy = "",
        .token = "",
        .num_retries = 12,
        .timeout_ms = INT64_C(60) * 1000,
    };
}

struct config_method config_method_default(void)
{
    return (struct config_method){.type = "", .mount_path = "", .namespace = "", .wrap_ttl = "", .config = val_map(NULL, 0)};
}

struct config_render config_render_default(void)
{
    return (struct config_render){
        .static_secret_render_interval_ms = INT64_C(300) * 1000,
        .max_connections_per_host = 10,
        .lease_renewal_threshold = 0.90,
    };
}

void config_init(struct config *config)
{
    *config = (struct config){
        .vault = config_vault_default(),
        .method = config_method_default(),
        .render = config_render_default(),
        .log_level = LOG_INFO,
        .log_file = {.path = ""},
        .level_word = {.text = ""},
        .format_word = {.text = ""},
        .pid_file = "",
        .handover = "",
        .exec = {.output = "", .error = ""},
    };
    arena_init(&config->arena, LIMIT_CONFIG_TREE_BYTES, "configuration");
}

void config_done(struct config *config)
{
    arena_done(&config->arena);
    *config = (struct config){.file_count = 0};
}

enum config_proxy_token config_lends(const struct config *config)
{
    const struct config_proxy *proxy = &config->proxy;

    return proxy->token != PROXY_TOKEN_CLIENT ? proxy->token : proxy->cache_token;
}

const char *config_file(const struct config *config, uint16_t file)
{
    return file < config->file_count ? config->files[file] : "";
}

void config_reach(const struct config *config, struct reach *reach)
{
    for (size_t i = 0; i < config->file_count; i++)
        reach_file(reach, config->files[i], REACH_READ);
    reach_file(reach, config->pid_file, REACH_WRITE);
    reach_file(reach, config->log_file.path, REACH_WRITE);
}
