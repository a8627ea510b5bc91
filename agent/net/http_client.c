#include "net/http_client.h"

struct http_pool *http_client_pool(struct http_client *client, bool *ret_trusts, void (*on_over)(void *ctx, CURLcode code),
                                   struct err *err)
{
    *ret_trusts = !client->pool || client->pool->open + client->pool->running == 0;
    if (*ret_trusts)
        http_way_trust_again(&client->way);
    if (!client->pool && (client->pool = pool_new(client->loop, on_over, err)))
        pool_limit(client->pool, client->max_connections);
    return client->pool;
}

void http_client_drop_pool(struct http_client *client, struct http_pool *pool)
{
    if (client->pool == pool)
        client->pool = NULL;
    pool_retire(pool);
}

void http_client_close_idle(struct http_client *client)
{
    bool busy = client->pool && client->pool->running > 0;

    client->close_when_idle = busy;
    if (client->pool && !busy)
        http_client_drop_pool(client, client->pool);
}
