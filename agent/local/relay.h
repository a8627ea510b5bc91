/*
 * relay: requests of applications, passed on to the server.
 *
 * Any method, path, query and body; both bodies go in pieces, so that each request holds no more than the windows of net/httpd
 * and net/http, whatever its length. The server's status, headers and body come back as they are; what reaches no server is
 * answered with 500 and {"errors": […]}, as by the originals, and an answer that breaks off is cut, so that the client sees it. A
 * client that goes away ends its request at the server. Redirects are the client's to follow. The client of net/http that is used
 * is one of its own: logins, renewals and reads of the agent never stand behind an application's.
 */
#ifndef LOCAL_RELAY_H
#define LOCAL_RELAY_H

#include <stddef.h>

#include "config/config.h"
#include "net/http.h"
#include "net/httpd.h"

struct relay;

/* Borrowed. */
struct relay_way {
    struct http_client *client;
    enum config_proxy_token lends;   /* whose token goes on */
    const char *namespace;           /* before every client's; "" for none */
    const char *(*token)(void *ctx); /* the agent's own; NULL as long as there is none */
    void *ctx;
};

/* Those that are under way. */
struct relays {
    struct relay *first;
    size_t count;
};

/* For on_head(): the request is taken over. */
void relay_begin(const struct relay_way *way, struct relays *relays, struct httpd_req *req);
/* Answered here, as the server would: {"errors": ["text"]}. */
void relay_refuse(struct httpd_req *req, int status, const char *text);
/* All are cut. */
void relays_end(struct relays *relays);

#endif
