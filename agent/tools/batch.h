/*
 * batch: many templates in one run, for `ampule render --batch`: lines of JSON in, one answer a line out, in the same order.
 *
 *   {"template": T, "data": "JSON", "flags": "n", "store": {…}, "env": ["A=b"], "now": "RFC 3339"}   all but the template may be
 * left out
 *   {"got": "=output" | "P!parse error" | "X!execution error"}   or {"hex": …} of the same when it is no UTF-8, or {"skip":
 * "reason"}
 *
 * Flags: `n` numbers keep their spelling, `e` and `i` missingkey=error and =invalid, then perhaps a blank and two delimiters.
 * A store stays until another line brings one. A line may be as long as a reply (LIMIT_REPLY_BYTES).
 */
#ifndef TOOLS_BATCH_H
#define TOOLS_BATCH_H

#include "tools/offline.h"

/* Answers standard input until it ends; `offline` and the time are what lines leave out. Fails only when input cannot be read. */
int batch_run(const struct offline *offline, int64_t now_ms, struct err *err) MUST_USE;

#endif
