#include "flow/connect.h"

#include <string.h>

#include "base/clock.h"
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

static void on_up(void *ctx, int64_t after_ms)
{
    struct connect *connect = ctx;

    log_info("agent", "the server answers again: after=%llds", clock_seconds_up(after_ms));
    connect->on_up(connect->ctx);
}

/* Said when it changes, not at every connection. */
static void on_trust(void *ctx, const struct err *err)
{
    struct trouble *trust = &((struct connect *)ctx)->trust;
    bool failed = trust->err.code != ERR_NONE;

    if (err && (!failed || strcmp(err->text, trust->err.text) != 0))
        log_warn(MODULE, "%s; what was read before stays in use: again_in=\"next connection\"", err->text);
    else if (!err && failed)
        log_info(MODULE, "the TLS files are good again");
    if (err)
        trouble_begin(trust, err);
    else
        trouble_end(trust);
}

static struct http_options options_of(const struct config_vault *vault)
{
    return (struct http_options){
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
    };
}

int connect_check(const struct config_vault *vault, struct err *err)
{
    const struct http_options options = options_of(vault);

    return http_check(&options, err);
}

int connect_check_files(const struct config_vault *vault, struct err *err)
{
    const struct http_options options = options_of(vault);

    return http_check_files(&options, err);
}

int connect_server(struct loop *loop, const struct config_vault *vault, struct connect *connect, struct client **ret, struct err *err)
{
    struct client_options options = {.http = options_of(vault), .namespace = vault->namespace};

    if (connect) {
        options.http.on_trust = on_trust;
        options.on_up = on_up;
        options.http.ctx = options.ctx = connect;
    }
    return client_new(loop, &options, ret, err);
}
