/*
 * connect: a client for the server that the configuration names. Nothing is sent; the TLS files are read now and errors name them.
 */
#ifndef FLOW_CONNECT_H
#define FLOW_CONNECT_H

#include "base/err.h"
#include "flow/config.h"
#include "flow/health.h"
#include "os/loop.h"
#include "vault/client.h"

/* The way to the server, as it is told in the log. Zeroed at first; outlives the client. */
struct connect {
    struct trouble trust; /* the TLS files */
    void (*on_up)(void *ctx); /* the server answers again */
    void *ctx;
};

/* What connect_server() would refuse of the words themselves: address and proxy. */
int connect_check(const struct config_vault *vault, struct err *err) MUST_USE;
/* And of the files that they name. ERR_MISSING: one is not there. */
int connect_check_files(const struct config_vault *vault, struct err *err) MUST_USE;
/* `connect` NULL: nothing is told. */
int connect_server(struct loop *loop, const struct config_vault *vault, struct connect *connect, struct client **ret, struct err *err) MUST_USE;

#endif
