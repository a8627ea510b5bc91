/*
 * proof: what the next login shows the server: asks others for it where the method needs that, and looks now and then whether it
 * would be another.
 *
 * A look is a login that is described and not sent; it gives way to a real one. Owns the login.
 */
#ifndef FLOW_PROOF_H
#define FLOW_PROOF_H

#include "os/launcher.h"
#include "os/loop.h"
#include "os/reach.h"
#include "vault/login.h"

struct proof;

struct proof_events {
    void *ctx;
    /* After proof_begin(), and where nobody is asked, from inside of it: one of the two. */
    void (*on_ready)(void *ctx); /* proof_request() is what to send */
    void (*on_failure)(void *ctx, const struct err *err);
    /* A look found another credential than that of the login that was taken last. */
    void (*on_other)(void *ctx);
};

struct proof *proof_new(struct loop *loop, struct login *login, const struct proof_events *events);
void proof_free(struct proof *proof);
void proof_begin(struct proof *proof);
/* The server's answer to a proof_request() that `goes_on`: the events follow as after proof_begin(). */
void proof_told(struct proof *proof, const struct told *told);
/* Of the login that runs: all zero before it is described and after it is forgotten. */
const struct login_request *proof_request(const struct proof *proof);
/* The login is over; `taken`: with a token in use. */
void proof_end(struct proof *proof, bool taken);
/* Look from now on, if the method has anything to look for. */
void proof_watch(struct proof *proof);
/* Its login has a helper: this program. */
void proof_help(struct proof *proof, struct launcher *launcher, unsigned program);
void proof_cancel(struct proof *proof); /* and looks no more */
void proof_reach(const struct proof *proof, struct reach *reach);

#endif
