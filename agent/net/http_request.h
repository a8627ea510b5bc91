/*
 * http_request: a request, checked and copied, as libcurl wants it told.
 *
 * Private to net/http*. ERR_INPUT for what no request may hold: control bytes, a path without "/".
 */
#ifndef NET_HTTP_REQUEST_H
#define NET_HTTP_REQUEST_H

#include <stdbool.h>

#include <curl/curl.h>

#include "net/http_message.h"
#include "net/http_way.h"

struct http_request {
    char *method, *url;
    struct buf body; /* secret */
    bool has_body;
    struct curl_slist *headers;
};

/* `request` is zeroed, and needs http_request_done() also after a failure. */
int http_request_init(struct http_request *request, const struct http_way *way, const struct http_req *req, struct err *err)
    MUST_USE;
/* It was sent, or never will be: what may be secret goes. */
void http_request_forget(struct http_request *request);
void http_request_done(struct http_request *request);

#endif
