/*
 * list_answer: the answer to a list request as a sorted []string.
 */
#ifndef FETCH_LIST_ANSWER_H
#define FETCH_LIST_ANSWER_H

#include "base/err.h"
#include "vault/reply.h"

/* Replace the envelope by its data.keys, sorted; no keys, no names. ERR_INPUT when a key is no string. */
int list_answer_from_reply(struct reply *reply, struct err *err) MUST_USE;
/* A folder that is not there is empty. */
void list_answer_empty(struct reply *reply);

#endif
