/*
 * httpd_reader: the bytes of one connection become requests, one after another; no I/O.
 *
 * http_parser takes them apart; what may pass is decided here: HTTP/1.x only, methods that are known, one Host, a body whose end
 * is said once and clearly (one Content-Length of digits, or one Transfer-Encoding that is "chunked", not both, none of it in
 * HTTP/1.0), heads of at most LIMIT_REQUEST_HEADER_BYTES as they are sent. Whoever reads stops at each step, so nothing is called
 * from inside the parser, and what is not read costs nothing.
 */
#ifndef NET_HTTPD_READER_H
#define NET_HTTPD_READER_H

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/target.h"

enum httpd_read {
    READ_MORE, /* all is used, more must come */
    READ_HEAD, /* a head is whole: take it; without `has_body` the request is, too */
    READ_BODY, /* `piece` is a part of the body, in the bytes that were given */
    READ_END,  /* of a body */
    READ_BAD,  /* `status` says why; the connection is of no use any more */
};

struct httpd_head {
    const char *method; /* static */
    const char *target; /* in the headers' memory */
    struct pairs headers;
    char *memory;
    uint64_t length; /* of the body; UINT64_MAX when it comes in chunks */
    bool has_body, keep_alive, expects_continue, http10;
};

enum { HTTPD_WORD = 5 };

struct httpd_reader {
    struct http_parser parser;
    struct buf text;       /* target, names and values, each with its NUL */
    char word[HTTPD_WORD]; /* the first bytes of a request, until it is clear whether they are a method of Vault's */
    unsigned char word_len, part;
    bool has_head;
    enum httpd_read event;
    size_t headers;
    const char *method, *piece;
    size_t piece_len;
    struct httpd_head head;
    int status;
};

void httpd_reader_init(struct httpd_reader *reader);
void httpd_reader_done(struct httpd_reader *reader);
/* `len` > 0; `*ret_used` of the bytes are done with. */
enum httpd_read httpd_reader_next(struct httpd_reader *reader, const char *data, size_t len, size_t *ret_used);
/* After READ_HEAD; the caller's, until httpd_head_done(). */
struct httpd_head httpd_reader_take(struct httpd_reader *reader);

void httpd_head_done(struct httpd_head *head); /* zeroed structs are accepted */

#endif
