/*
 * local: what the agent serves to applications: its listeners, their routes, and what is passed on to the server.
 *
 *     /agent/v1/health     GET    ready or not, and why; ?purpose=startup|readiness|liveness                 200, 503
 *     /agent/v1/quit       POST   ends the agent, where agent_api { enable_quit } allows it                  200, 404, 405
 *     everything else             the server's, see local/relay; a listener for metrics only has no more     404
 *
 * A listener with require_request_header answers 412 to all that lacks X-Vault-Request. Without listeners there is no struct
 * local, and nothing of it costs memory.
 */
#ifndef LOCAL_LOCAL_H
#define LOCAL_LOCAL_H

#include "base/err.h"
#include "config/config.h"
#include "net/http_options.h"
#include "os/loop.h"
#include "os/reach.h"

struct local;

struct local_events {
    void *ctx;
    /* The agent's own token; NULL as long as there is none. */
    const char *(*token)(void *ctx);
    /* 0: all is well for that purpose ("readiness"); -1: why not. ERR_INPUT: there is no such purpose. */
    int (*health)(void *ctx, const char *purpose, struct err *err);
    /* The answer is on its way: not the place for local_free(). */
    void (*quit)(void *ctx);
};

/* `config` (which has listeners) is borrowed until local_reload(). Errors name the listener. */
int local_new(struct loop *loop, const struct config *config, const struct http_options *server,
              const struct local_events *events, struct local **ret, struct err *err) MUST_USE;
/* Requests that are under way end without an answer. NULL is accepted. */
void local_free(struct local *local);
/* TLS files are read again; on an error those of before hold, of the listener that is named. */
int local_reload(struct local *local, const struct config *config, struct err *err) MUST_USE;
/* What follows takes new connections to the server. */
void local_renew(struct local *local);
/* Accept nothing new, and tell when everything is answered, or after limit_ms. Never from inside. */
void local_finish(struct local *local, int64_t limit_ms, void (*on_finished)(void *ctx), void *ctx);
void local_reach(const struct local *local, struct reach *reach);
size_t local_count(const struct local *local);
/* Where listener number `i` is reached: "127.0.0.1:8200", "unix:///…". */
const char *local_address(const struct local *local, size_t i);

#endif
