#include "net/http_request.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "net/http_lines.h"

static bool is_token(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text >= 0x7F || strchr("()<>@,;:\\\"/[]?={}", *text))
            return false;
    return true;
}

static bool is_clean(const char *text, bool blanks)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7F || (!blanks && (*text == ' ' || *text == '#')))
            return false;
    return true;
}

/* In libcurl's spelling: "Name;" is a header with an empty value, "Name:" keeps libcurl from adding one of its own. */
static int header_add(struct curl_slist **list, const struct http_header *header)
{
    _cleanup_buf_ struct buf line;

    buf_init_secret(&line, LIMIT_REPLY_HEADER_BYTES);
    buf_adds(&line, header->name);
    if (!header->value)
        buf_adds(&line, ":");
    else if (!*header->value)
        buf_adds(&line, ";");
    else
        buf_addf(&line, ": %s", header->value);
    return buf_overflowed(&line) ? -1 : lines_add(list, line.data);
}

static bool header_given(const struct http_req *req, const char *name)
{
    for (size_t i = 0; i < req->header_count; i++)
        if (strcasecmp(req->headers[i].name, name) == 0)
            return true;
    return false;
}

static int headers_copy(struct http_request *request, const struct http_way *way, const struct http_req *req, struct err *err)
{
    const struct http_header defaults[] = {
        {"Accept-Encoding", "identity"},
        {"Expect", NULL},
        {"Content-Type", NULL},
        {"Host", way->origin.authority},
    };
    size_t count = ARRAY_LEN(defaults) - (way->server_name ? 0 : 1); /* the URL's host is not the real one then */

    for (size_t i = 0; i < req->header_count; i++) {
        if (!is_token(req->headers[i].name) || !is_clean(req->headers[i].value, true))
            return err_set(err, ERR_INPUT, "header \"%.64s\": name or value has bytes that no header may have",
                           req->headers[i].name);
        if (header_add(&request->headers, &req->headers[i]) < 0)
            return err_set(err, ERR_LIMIT, "header \"%.64s\" has more than %zu bytes", req->headers[i].name,
                           LIMIT_REPLY_HEADER_BYTES);
    }
    for (size_t i = 0; i < count; i++)
        if (!header_given(req, defaults[i].name) && header_add(&request->headers, &defaults[i]) < 0)
            return err_set(err, ERR_SYSTEM, "libcurl: headers");
    return 0;
}

/* The URL carries the name that TLS asks for; connect_to leads to the real host. */
static int url_copy(struct http_request *request, const struct http_way *way, const char *path, struct err *err)
{
    const struct origin *origin = &way->origin;
    const char *name = way->server_name;
    const char *open = name && strchr(name, ':') ? "[" : "", *close = *open ? "]" : "";
    _cleanup_buf_ struct buf url;

    buf_init(&url, LIMIT_URL_BYTES);
    if (name)
        buf_addf(&url, "%s://%s%s%s:%u%s%s", origin->scheme, open, name, close, origin->port, origin->base, path);
    else
        buf_addf(&url, "%s://%s%s%s", origin->scheme, origin->authority, origin->base, path);
    if (buf_check(&url, "URL", err) != 0)
        return -1;
    request->url = buf_take(&url);
    return 0;
}

int http_request_init(struct http_request *request, const struct http_way *way, const struct http_req *req, struct err *err)
{
    if (!is_token(req->method))
        return err_set(err, ERR_INPUT, "not a request method");
    if (req->path[0] != '/' || !is_clean(req->path, false))
        return err_set(err, ERR_INPUT, "a request path begins with \"/\" and has no blanks, \"#\" or control bytes");
    if (strlen(req->path) > LIMIT_URL_BYTES - ORIGIN_PATH - 2 * ORIGIN_NAME)
        return err_set(err, ERR_LIMIT, "a request path has at most %zu bytes", LIMIT_URL_BYTES - ORIGIN_PATH - 2 * ORIGIN_NAME);
    if (url_copy(request, way, req->path, err) != 0)
        return -1;
    request->method = mem_strdup(req->method);
    request->has_body = req->body != NULL;
    buf_init_exact(&request->body, req->body_len);
    if (req->body)
        buf_add(&request->body, req->body, req->body_len);
    return headers_copy(request, way, req, err);
}

void http_request_forget(struct http_request *request)
{
    lines_done(&request->headers);
    buf_done(&request->body);
}

void http_request_done(struct http_request *request)
{
    http_request_forget(request);
    mem_free(request->method);
    mem_free(request->url);
}
