/*
 * connect: a client for the server that the configuration names. Nothing is sent; the TLS files are read now and errors name them.
 */
#ifndef FLOW_CONNECT_H
#define FLOW_CONNECT_H

#include "base/err.h"
#include "flow/config.h"
#include "os/loop.h"
#include "vault/client.h"

int connect_server(struct loop *loop, const struct config_vault *vault, struct client **ret, struct err *err) MUST_USE;

#endif
