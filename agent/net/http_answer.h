/*
 * http_answer: an answer as it arrives: the headers that anybody asks for, and the body.
 *
 * Private to net/http*. Bounded by LIMIT_REPLY_HEADER_BYTES and the body's maximum (ERR_LIMIT); a compressed body, or one of two
 * lengths, is ERR_INPUT.
 */
#ifndef NET_HTTP_ANSWER_H
#define NET_HTTP_ANSWER_H

#include "net/http_message.h"

struct http_answer {
    struct http_res res;
    size_t header_bytes;
    int64_t length;    /* as announced; -1: not yet */
    bool any_encoding; /* a compressed body is none of our business */
};

void http_answer_init(struct http_answer *answer, size_t max_body);
void http_answer_done(struct http_answer *answer);
/* A line of the head, status line and the empty one included. */
int http_answer_header(struct http_answer *answer, const char *line, size_t len, struct err *err) MUST_USE;
int http_answer_body(struct http_answer *answer, const char *data, size_t len, struct err *err) MUST_USE;

#endif
