/*
 * connect: a client for the server that the configuration names. Nothing is sent; the TLS files are read now and errors name
 * them.
 */
#ifndef FLOW_CONNECT_H
#define FLOW_CONNECT_H

#include "base/err.h"
#include "config/config.h"
#include "fetch/health.h"
#include "os/loop.h"
#include "vault/client.h"
#include "vault/login.h"

/* The way to the server, as it is told in the log. Zeroed at first; outlives the client. */
struct connect {
    struct trouble trust;     /* the TLS files */
    void (*on_up)(void *ctx); /* the server answers again */
    void *ctx;
    unsigned max_connections; /* 0: the usual */
    struct client *client;    /* of a login, and what it shows */
    struct login_identity identity;
};

/* `connect` NULL: nothing is told. */
int connect_server(struct loop *loop, const struct config_vault *vault, struct connect *connect, struct client **ret,
                   struct err *err) MUST_USE;

/* The same with what a login shows of its own in place of what the configuration of the server says. It is borrowed. */
int connect_login(struct loop *loop, const struct config_vault *vault, const struct login_identity *identity,
                  struct connect *connect, struct client **ret, struct err *err) MUST_USE;
/* Other TLS files of the server, for the client of a login, if there is one: what it shows of its own stays. */
void connect_trust_login(struct connect *connect, const struct config_vault *vault);

#endif
