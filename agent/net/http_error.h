/*
 * http_error: the cause of a failure in plain words, with "https://host:port: " in front.
 *
 * Private to net/http*.
 */
#ifndef NET_HTTP_ERROR_H
#define NET_HTTP_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include "net/http_handle.h"

void http_error_explain(const struct http_handle *handle, CURLcode code, struct err *err);
int http_error_timeout(const struct http_way *way, int64_t ms, struct err *err);
int http_error_names(const struct http_way *way, const struct err *cause, struct err *err);
bool http_error_is_connect(CURLcode code);
/* The connection broke. libcurl may count it on, and only where none is left are certificates read again: a refused one would
 * stay for ever. */
bool http_error_is_loss(CURLcode code);

#endif
