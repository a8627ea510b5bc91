/*
 * http_handler: one HTTP request: to the Vault API, to the Kubernetes API's token reviews, or to OpenID discovery.
 */
#ifndef SANDBOX_HTTP_HANDLER_H
#define SANDBOX_HTTP_HANDLER_H

#include "net/httpd.h"
#include "sandbox/core.h"

/* For httpd_options: `ctx` is the struct core. */
void http_handler_on_request(void *ctx, struct httpd_req *req);

#endif
