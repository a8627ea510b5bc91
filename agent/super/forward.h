/*
 * forward: signals that reach the agent and are for the program that it supervises.
 *
 * One table says of each what becomes of it. Not here: what ends the agent (TERM, INT), HUP and USR1, which its owner takes first
 * and passes on; what the kernel raises for our own mistakes; what cannot be caught. TTIN and TTOU are ignored: the program has
 * the terminal, and a log line must not stop the agent.
 */
#ifndef SUPER_FORWARD_H
#define SUPER_FORWARD_H

#include "base/err.h"
#include "os/loop.h"
#include "super/guard.h"

struct forward;

typedef void forward_signal(void *ctx, int signo, enum guard_manner manner);

int forward_start(struct loop *loop, forward_signal *on_signal, void *ctx, struct forward **ret, struct err *err) MUST_USE;
void forward_stop(struct forward *forward); /* NULL is accepted */

/* How the program is told of a signal that its owner takes first. */
enum guard_manner forward_manner(int signo);

#endif
