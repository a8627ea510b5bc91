/*
 * listing: the answer to a list request as a sorted []string.
 */
#ifndef FLOW_LISTING_H
#define FLOW_LISTING_H

#include "base/err.h"
#include "vault/reply.h"

/* Replace the envelope by its data.keys, sorted; no keys, no names. ERR_INPUT when a key is no string. */
int listing_from_reply(struct reply *reply, struct err *err) MUST_USE;
/* A folder that is not there is empty. */
void listing_empty(struct reply *reply);

#endif
