/*
 * http_lines: lines of text as libcurl takes them. They may be secret: wiped at the end.
 */
#ifndef NET_HTTP_LINES_H
#define NET_HTTP_LINES_H

#include <curl/curl.h>

#include "base/err.h"

/* -1 when out of memory. */
int lines_add(struct curl_slist **list, const char *line) MUST_USE;
void lines_done(struct curl_slist **list);

#endif
