/*
 * dev_server: the running sandbox: one HTTP(S) listener for the Kubernetes API's token reviews, OpenID discovery and the Vault
 * API.
 *
 * Development only: the root token and all keys lie in the folder `dir`. dev_server_run() returns after SIGINT or SIGTERM.
 */
#ifndef SANDBOX_DEV_SERVER_H
#define SANDBOX_DEV_SERVER_H

#include <stdbool.h>

#include "base/err.h"

struct dev_server_options {
    const char *listen; /* "127.0.0.1:0" picks a free port */
    const char *dir;
    const char *config;     /* YAML file; NULL = the built-in example */
    const char *issuer;     /* URL in tokens; NULL = the server's own */
    const char *root_token; /* NULL = made up */
    bool plain;             /* HTTP instead of TLS */
};

int dev_server_run(const struct dev_server_options *options, struct err *err) MUST_USE;

#endif
