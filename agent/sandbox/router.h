/*
 * router: the way of a call: seal, mount, route, token, policy, handler, wrapping.
 */
#ifndef SANDBOX_ROUTER_H
#define SANDBOX_ROUTER_H

#include "sandbox/call.h"

/* A whole call: fills the answer and returns the status. */
int router_run(struct call *call);
/* A write by root, for seeds: ERR_INPUT with the server's words when it is refused. */
int router_write(struct core *core, const char *path, const struct val *body, struct err *err) MUST_USE;

#endif
