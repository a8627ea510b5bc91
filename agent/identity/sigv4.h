/*
 * sigv4: requests to AWS, signed (Signature Version 4, in headers).
 *
 * Pure: a request and a moment in, the signature out. What is signed is what the caller lists: `host` and, by sigv4_sign()
 * itself, `x-amz-date` and the session token. Keys derived on the way are wiped.
 */
#ifndef IDENTITY_SIGV4_H
#define IDENTITY_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/val.h"

enum { SIGV4_HEADERS = 32, SIGV4_DATE = sizeof("20150830T123600Z") };

struct sigv4_header {
    struct str name, value;
};

struct sigv4_request {
    struct str method, path, query, body;
    const struct sigv4_header *headers; /* in order of arrival; names may repeat */
    size_t header_count;
    bool as_it_is; /* the path's dots and slashes stay */
};

struct sigv4_key {
    const char *access_key, *secret_key;
    const char *session_token; /* NULL or "": none */
};

struct sigv4_scope {
    char date[SIGV4_DATE]; /* "20150830T123600Z" */
    const char *region, *service;
};

/* "20150830T123600Z" of milliseconds since 1970. */
void sigv4_date(int64_t wall_ms, char ret[SIGV4_DATE]);
/* Append the canonical request, and the names of what is signed ("host;x-amz-date"). */
int sigv4_canonical(const struct sigv4_request *request, const struct sigv4_key *key, const struct sigv4_scope *scope,
                    struct buf *ret, struct buf *names, struct err *err) MUST_USE;
/* Append the value of the header Authorization. */
int sigv4_sign(const struct sigv4_request *request, const struct sigv4_key *key, const struct sigv4_scope *scope, struct buf *ret,
               struct err *err) MUST_USE;

#endif
