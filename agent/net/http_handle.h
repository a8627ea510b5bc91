/*
 * http_handle: one request as libcurl holds it: every option that it is told, and how often it may be sent.
 *
 * Private to net/http*. Way, request, answer and stream are borrowed and outlive it.
 */
#ifndef NET_HTTP_HANDLE_H
#define NET_HTTP_HANDLE_H

#include <stdbool.h>

#include <curl/curl.h>

#include "net/http_answer.h"
#include "net/http_request.h"
#include "net/http_stream.h"
#include "net/http_way.h"

struct http_handle {
    struct http_way *way;
    const struct http_request *request;
    struct http_answer *answer;
    struct http_stream *stream;

    bool trusts; /* the TLS files were just read for it */
    CURL *easy;  /* NULL before and after */
    void *owner; /* CURLOPT_PRIVATE */
    struct curl_slist *resolve, *connect_to;
    unsigned sends, most_sends; /* how often the request went out, and may */
    char text[CURL_ERROR_SIZE]; /* libcurl's words for a failure */
    struct err err;             /* why a callback made libcurl stop */
};

int http_handle_open(struct http_handle *handle, void *owner, struct err *err) MUST_USE;
void http_handle_close(struct http_handle *handle); /* also when it is not open */
/* Something was connected to: a server, not only an address. */
bool http_handle_has_begun(const struct http_handle *handle);
unsigned long http_handle_connections(const struct http_handle *handle);
/* What the stream does not want in pieces goes into the answer; -1 with `handle->err` where it is too large. */
int http_handle_keep_whole(struct http_handle *handle) MUST_USE;
/* libcurl may have been told to wait, and does no more where it need not. */
CURLcode http_handle_go_on(struct http_handle *handle);
/* Status and version of the answer. */
void http_handle_result(const struct http_handle *handle, struct http_res *res);

#endif
