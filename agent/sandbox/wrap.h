/*
 * wrap: response wrapping: a reply is put away under a token that is good for one look.
 */
#ifndef SANDBOX_WRAP_H
#define SANDBOX_WRAP_H

#include "sandbox/api.h"

/* Put the finished answer of this call away and answer with its wrapping token. */
void wrap_reply(struct call *call);

/* sys/wrapping/… */
int wrap_on_wrap(struct call *call);
int wrap_on_lookup(struct call *call);
int wrap_on_unwrap(struct call *call);

#endif
