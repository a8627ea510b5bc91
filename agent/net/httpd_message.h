/*
 * httpd_message: what a server was asked and what it answers, whole or in pieces. Who owns it until when: net/httpd.h.
 */
#ifndef NET_HTTPD_MESSAGE_H
#define NET_HTTPD_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "net/http_message.h"

struct httpd_req {
    const char *method;
    const char *target; /* as sent: escaped path and query */
    const char *path;   /* decoded, without the query */
    const char *body;   /* not NUL-terminated; "" in on_head() and in pieces */
    size_t body_len;
    const char *peer; /* address, "" for unix sockets */
};

struct httpd_res {
    int status;
    const char *type;                  /* Content-Type; NULL = application/json where there is a body */
    const struct http_header *headers; /* those with a line end or an odd name are left out, and so is what says a body's end */
    size_t header_count;
    const char *body; /* copied; NULL for none */
    size_t body_len;
};

/* Each may be NULL. */
struct httpd_pieces {
    void (*on_body)(void *ctx, struct httpd_req *req, const char *data, size_t len);
    void (*on_end)(void *ctx, struct httpd_req *req);
    void (*on_room)(void *ctx, struct httpd_req *req);
    void (*on_gone)(void *ctx, struct httpd_req *req);
    void *ctx;
};

#define HTTPD_ANY_LENGTH UINT64_MAX /* of a body: its end is not known before */

#endif
