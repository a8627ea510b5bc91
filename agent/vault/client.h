/*
 * client: requests to one Vault-compatible server.
 *
 * Puts the headers on, keeps the token, waits for the budget, follows one redirect (same scheme; same host, or over verified TLS
 * another host that proves the original's name) and turns answers into a struct reply. Retries nothing. Every call is answered
 * exactly once, from the loop and never from inside client_send(); client_cancel() ends it unanswered.
 */
#ifndef VAULT_CLIENT_H
#define VAULT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/http.h"
#include "os/loop.h"
#include "os/reach.h"
#include "vault/budget.h"
#include "vault/reply.h"

struct client;
struct client_call;

/* Of a server, and not 0 or what stands before one that is away. */
bool client_is_answer(int status);

/* The server answers again, after so long without. From the loop, before the answer itself is handed on. */
typedef void client_up(void *ctx, int64_t after_ms);

struct client_options {
    struct http_options http;
    const char *namespace; /* NULL or "": none */
    struct budget *budget; /* borrowed; NULL: one of its own */
    int64_t rate;          /* of its own: thousandths of a request per second, for every request; 0: the usual one */
    unsigned burst;
    bool no_redirects;
    const struct http_header *headers; /* with every request; copied, secret */
    size_t header_count;               /* at most LIMIT_EXTRA_HEADERS */
    client_up *on_up;                  /* may be NULL */
    void *ctx;
};

struct request {
    const char *method; /* "GET", "PUT", "LIST" */
    const char *path;   /* below "/v1/", escaped, may carry "?query" */
    const char *body;   /* JSON, copied as secret; NULL: none */
    size_t body_len;
    const char *token;         /* instead of the client's; "" sends none; NULL: the client's at the time of sending */
    const char *namespace;     /* instead of the client's; "" for none; NULL: the client's */
    const char *wrap_ttl;      /* X-Vault-Wrap-TTL */
    const char *authorization; /* the header of that name, copied as secret; NULL or "": none */
    bool urgent;               /* exempt from the budget */
    bool one_of_many; /* waits while LIMIT_REQUESTS_AT_ONCE of its kind are under way: each takes 100 KiB, and its time-out begins
                         when it is sent */
    int64_t timeout_ms; /* 0: the client's */
};

/* `err` is NULL for 2xx. The reply is never NULL; its arena may be taken with steal-like copying and zeroing of the struct. */
typedef void client_done(void *ctx, struct reply *reply, const struct err *err);

int client_new(struct loop *loop, const struct client_options *options, struct client **ret, struct err *err) MUST_USE;
void client_free(struct client *client); /* running calls end without their callbacks */

/* The token of following requests (copied into locked memory); NULL forgets it. Unprintable bytes are refused. */
int client_set_token(struct client *client, const char *token, struct err *err) MUST_USE;
/* The token of now is good for so many requests (0: no limit); the next client_set_token() forgets it. */
void client_limit_uses(struct client *client, int64_t uses);
/* Something was answered with the token of now. */
bool client_served(const struct client *client);
/* The token has served, and more requests went out with it than it is good for: some of them were refused for that. */
bool client_spent(const struct client *client);
bool client_has_token(const struct client *client);

/* Everything in `request` is copied. */
struct client_call *client_send(struct client *client, const struct request *request, client_done *done, void *ctx);
void client_cancel(struct client_call *call);
/* What its calls open. */
void client_reach(const struct client *client, struct reach *reach);
/* Other TLS files of the same server: see http_client_trust(). */
void client_trust(struct client *client, const struct http_options *options);
/* How many connections there may be to the server, and to each that it sends us to: see http_client_limit(). */
void client_limit_connections(struct client *client, unsigned max_connections);
/* Without those to other hosts. */
struct http_counts client_counts(const struct client *client);
/* Close idle connections when nothing runs. */
void client_idle(struct client *client);
/* Without slashes at its ends; "" for none. */
const char *client_namespace(const struct client *client);

#endif
