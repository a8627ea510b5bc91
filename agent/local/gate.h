/*
 * gate: one block `listener` as a running server: address, TLS, who may open a unix socket.
 *
 * The certificate's files are read when it opens and at gate_reload(); what is wrong with them then leaves those in use that were
 * there. A socket file that a dead process left is taken over, one of a living process is not.
 */
#ifndef LOCAL_GATE_H
#define LOCAL_GATE_H

#include "config/config.h"
#include "net/httpd.h"
#include "os/loop.h"
#include "os/reach.h"

struct gate;

struct gate_events {
    void *ctx;
    /* Both with the gate's own number. */
    void (*on_head)(void *ctx, size_t gate, struct httpd_req *req);
    void (*on_request)(void *ctx, size_t gate, struct httpd_req *req);
};

/* `listener` is borrowed until the next gate_reload(). Errors name the block. */
int gate_open(struct loop *loop, const struct config_listener *listener, size_t number, const struct gate_events *events,
              struct gate **ret, struct err *err) MUST_USE;
/* The TLS files are read again. */
int gate_reload(struct gate *gate, const struct config_listener *listener, struct err *err) MUST_USE;
void gate_close(struct gate *gate); /* NULL is accepted */
/* Accept no more, close what is idle, and tell once nobody is connected any more. */
void gate_finish(struct gate *gate, void (*on_empty)(void *ctx), void *ctx);
/* "127.0.0.1:8200" as it became. */
const char *gate_address(const struct gate *gate);
bool gate_is_secure(const struct gate *gate);
const struct config_listener *gate_listener(const struct gate *gate);
/* What gate_reload() opens. */
void gate_reach(const struct gate *gate, struct reach *reach);

#endif
