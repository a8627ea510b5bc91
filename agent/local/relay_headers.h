/*
 * relay_headers: which headers of a request go on to the server, and which of its answer come back.
 *
 * Not those of one connection alone (RFC 9110, 7.6.1, and whatever "Connection" names), nor those that say where a body ends:
 * both ends say that anew. Of a request neither Host, the token (one is put in its place) nor Accept-Encoding: what is compressed
 * cannot be looked at.
 */
#ifndef LOCAL_RELAY_HEADERS_H
#define LOCAL_RELAY_HEADERS_H

#include <stddef.h>

#include "net/http_message.h"
#include "net/target.h"

struct relay_headers {
    struct http_header *items; /* names and values belong to the request or the answer, and to whoever asked */
    size_t count;
    char *agent, *namespace; /* values that were put together; items may point here */
};

/* What the agent says itself. NULL or "": nothing. */
struct relay_own {
    const char *token;
    const char *namespace; /* before the client's: "a/b/" */
    const char *user_agent;
};

void relay_headers_request(const struct pairs *headers, const struct relay_own *own, struct relay_headers *ret);
void relay_headers_answer(const struct http_head *head, struct relay_headers *ret);
void relay_headers_done(struct relay_headers *headers);
#define _cleanup_relay_headers_ _cleanup_(relay_headers_done)

/* Of that name, or NULL. */
const char *relay_headers_find(const struct http_header *items, size_t count, const char *name);

#endif
