#include "net/http.h"

#include <openssl/crypto.h>

#include "base/mem.h"
#include "net/http_client.h"
#include "net/http_error.h"
#include "net/http_exchange.h"

/* ----------------------------------------------------------------------------------------- before there is a client */

int http_check(const struct http_options *options, struct err *err)
{
    struct http_way way = {0};
    int result = http_way_find(&way, options, err);

    http_way_done(&way);
    return result;
}

int http_check_files(const struct http_options *options, struct err *err)
{
    const struct trust_files files = {options->ca_cert, options->ca_path,         options->client_cert,   options->client_key,
                                      options->ca_pem,  options->client_cert_pem, options->client_key_pem};
    struct trust trust;

    if (trust_load(&trust, &files, err) != 0)
        return -1;
    trust_done(&trust);
    return 0;
}

void http_reach(const struct http_options *options, struct reach *reach)
{
    http_way_reach(options, reach);
}

/* ------------------------------------------------------------------------------------------------ birth and the end */

int http_client_new(struct loop *loop, const struct http_options *options, struct http_client **ret, struct err *err)
{
    struct http_client *client;

    /* Of OpenSSL's reasons only those of TLS are read, see http_error; the others would take 40 KiB. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_SYSTEM, "libcurl cannot start");
    client = mem_alloc(sizeof(*client));
    client->loop = loop;
    client->max_connections = options->max_connections;
    if (http_way_init(&client->way, options, err) != 0) {
        http_client_free(client);
        return -1;
    }
    *ret = client;
    return 0;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    srv_cancel(client->service);
    dns_cancel(client->query);
    while (client->exchanges)
        exchange_free(client->exchanges);
    pool_free(client->pool);
    http_way_done(&client->way);
    mem_free(client);
    curl_global_cleanup();
}

/* -------------------------------------------------------------------------------------------------------- exchanges */

static void on_addresses(void *ctx, const struct addresses *found, const struct err *cause)
{
    struct http_client *client = ctx;
    struct err err;

    client->query = NULL;
    if (found) {
        http_way_learn(&client->way, found);
        exchange_start_all(client);
    } else {
        http_error_names(&client->way, cause, &err);
        exchange_fail_all(client, &err);
    }
}

static int ask_addresses(struct http_client *client, struct err *err)
{
    client->query = dns_start(client->loop, &client->way.names, http_way_host(&client->way), on_addresses, client, err);
    return client->query ? 0 : err_wrap(err, "%s", client->way.origin.name);
}

static void on_service(void *ctx, const struct dns_service *found)
{
    struct http_client *client = ctx;
    struct err err;

    client->service = NULL;
    http_way_move(&client->way, found);
    if (ask_addresses(client, &err) != 0)
        exchange_fail_all(client, &err);
}

/* Somebody may be at it already. */
static int find_server(struct http_client *client, struct err *err)
{
    if (client->query || client->service)
        return 0;
    if (!client->way.services)
        return ask_addresses(client, err);
    client->service = srv_start(client->loop, &client->way.names, client->way.origin.host, on_service, client, err);
    return client->service ? 0 : err_wrap(err, "%s", client->way.origin.name);
}

struct http_exchange *http_send(struct http_client *client, const struct http_req *req, http_done *done, void *ctx,
                                struct err *err)
{
    struct http_exchange *exchange = exchange_new(client, req, done, ctx, err);

    if (!exchange)
        return NULL;
    if (http_way_is_known(&client->way, client->pool && client->pool->open > 0)) {
        exchange_start(exchange);
        return exchange;
    }
    if (find_server(client, err) != 0) {
        exchange_free(exchange);
        return NULL;
    }
    return exchange;
}

void http_cancel(struct http_exchange *exchange)
{
    exchange_free(exchange);
}

bool http_write(struct http_exchange *exchange, const char *data, size_t len)
{
    return exchange_write(exchange, data, len);
}

void http_end(struct http_exchange *exchange)
{
    exchange_end(exchange);
}

void http_pause(struct http_exchange *exchange)
{
    exchange_pause(exchange, true);
}

void http_resume(struct http_exchange *exchange)
{
    exchange_pause(exchange, false);
}

void http_client_idle(struct http_client *client)
{
    http_client_close_idle(client);
}

void http_client_renew(struct http_client *client)
{
    if (client->pool)
        http_client_drop_pool(client, client->pool);
}

void http_client_trust(struct http_client *client, const struct http_options *options)
{
    http_way_trust_others(&client->way, options);
    http_client_renew(client);
}

void http_client_limit(struct http_client *client, unsigned max_connections)
{
    client->max_connections = max_connections;
    if (client->pool)
        pool_limit(client->pool, max_connections);
}

bool http_client_busy(const struct http_client *client)
{
    return client->exchanges != NULL;
}

struct http_counts http_client_counts(const struct http_client *client)
{
    return (struct http_counts){client->requests, client->connections};
}
