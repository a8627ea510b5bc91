#include "flow/connect.h"

#include "base/log.h"

#define MODULE "agent.tls"
#define USER_AGENT "Ampule/" AMPULE_VERSION

static const char *given(const char *text)
{
    return *text ? text : NULL;
}

static void on_note(const char *text)
{
    log_warn(MODULE, "%s", text);
}

int connect_server(struct loop *loop, const struct config_vault *vault, struct client **ret, struct err *err)
{
    const struct client_options options = {
        .http =
            {
                .address = vault->address,
                .ca_cert = given(vault->ca_cert),
                .ca_pem = given(vault->ca_pem),
                .ca_path = given(vault->ca_path),
                .client_cert = given(vault->client_cert),
                .client_key = given(vault->client_key),
                .server_name = given(vault->tls_server_name),
                .skip_verify = vault->tls_skip_verify,
                .proxy = given(vault->proxy),
                .user_agent = USER_AGENT,
                .timeout_ms = vault->timeout_ms,
                .on_note = on_note,
            },
        .namespace = vault->namespace,
    };

    return client_new(loop, &options, ret, err);
}
