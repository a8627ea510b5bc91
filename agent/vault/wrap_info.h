/*
 * wrap_info: what a wrapped answer says of the token that it can be fetched with, as a sink holds it.
 *
 * In the words and the order of the original's encoder: token, accessor, ttl, creation_time, creation_path, wrapped_accessor; a
 * newline behind.
 */
#ifndef VAULT_WRAP_INFO_H
#define VAULT_WRAP_INFO_H

#include "base/buf.h"
#include "vault/reply.h"

/* Appended to `out`, which is secret. ERR_INPUT: the answer is not wrapped. */
int wrap_info_text(const struct reply *reply, struct buf *out, struct err *err) MUST_USE;

#endif
