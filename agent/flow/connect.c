#include "flow/connect.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/server_options.h"

#define MODULE "agent.tls"

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

static int open_client(struct loop *loop, struct client_options *options, struct connect *connect, struct client **ret,
                       struct err *err)
{
    options->http.on_note = on_note;
    if (connect) {
        options->http.on_trust = on_trust;
        options->on_up = on_up;
        options->http.max_connections = connect->max_connections;
        options->http.ctx = options->ctx = connect;
    }
    return client_new(loop, options, ret, err);
}

static struct client_options options_of(const struct config_vault *vault)
{
    return (struct client_options){.http = server_options(vault),
                                   .namespace = vault->namespace,
                                   .rate = vault->rate,
                                   .burst = vault->burst,
                                   .no_redirects = vault->no_redirects,
                                   .headers = vault->headers,
                                   .header_count = vault->header_count};
}

int connect_server(struct loop *loop, const struct config_vault *vault, struct connect *connect, struct client **ret,
                   struct err *err)
{
    struct client_options options = options_of(vault);

    return open_client(loop, &options, connect, ret, err);
}

/* Whoever names whom to believe at a login wants it to be looked at. */
static void show(const struct login_identity *identity, struct http_options *options)
{
    if (identity->ca_cert) {
        options->ca_cert = identity->ca_cert;
        options->skip_verify = false;
    }
    if (identity->client_cert) {
        options->client_cert = identity->client_cert;
        options->client_key = identity->client_key;
    }
}

int connect_login(struct loop *loop, const struct config_vault *vault, const struct login_identity *identity,
                  struct connect *connect, struct client **ret, struct err *err)
{
    struct client_options options = options_of(vault);

    show(identity, &options.http);
    if (open_client(loop, &options, connect, ret, err) != 0)
        return -1;
    connect->client = *ret;
    connect->identity = *identity;
    return 0;
}

void connect_trust_login(struct connect *connect, const struct config_vault *vault)
{
    struct http_options options = server_options(vault);

    if (!connect->client)
        return;
    show(&connect->identity, &options);
    client_trust(connect->client, &options);
}
