#include "config/server_options.h"

#include "base/limits.h"

#define USER_AGENT "Ampule/" AMPULE_VERSION

static const char *given(const char *text)
{
    return *text ? text : NULL;
}

struct http_options server_options(const struct config_vault *vault)
{
    return (struct http_options){
        .address = vault->address,
        .ca_cert = given(vault->ca_cert),
        .ca_pem = given(vault->ca_pem),
        .ca_path = given(vault->ca_path),
        .client_cert = given(vault->client_cert),
        .client_key = given(vault->client_key),
        .client_cert_pem = given(vault->client_cert_pem),
        .client_key_pem = given(vault->client_key_pem),
        .server_name = given(vault->tls_server_name),
        .skip_verify = vault->tls_skip_verify,
        .proxy = given(vault->proxy),
        .user_agent = USER_AGENT,
        .timeout_ms = vault->timeout_ms,
        .services = vault->services,
    };
}

/* 0 and less are no limit in the original. */
unsigned server_connections(const struct config_render *render)
{
    int wanted = render->max_connections_per_host;

    return wanted > 0 && wanted < LIMIT_REQUESTS_AT_ONCE ? (unsigned)wanted : LIMIT_REQUESTS_AT_ONCE;
}
