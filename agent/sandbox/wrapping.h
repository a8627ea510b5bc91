/*
 * wrapping: response wrapping: a reply is put away under a token that is good for one look.
 */
#ifndef SANDBOX_WRAPPING_H
#define SANDBOX_WRAPPING_H

#include "sandbox/call.h"

/* Put the finished answer of this call away and answer with its wrapping token. */
void wrapping_reply(struct call *call);

/* sys/wrapping/… */
int wrapping_on_wrap(struct call *call);
int wrapping_on_lookup(struct call *call);
int wrapping_on_unwrap(struct call *call);

#endif
