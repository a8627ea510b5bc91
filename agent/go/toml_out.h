/*
 * toml_out: values as TOML, byte for byte as BurntSushi's toml 1.5 prints them.
 *
 * In every table the plain values come first, then the tables, each in order of their keys; a level is two columns. Whether
 * everything fitted says buf_check(). Fails for what TOML cannot say, in Go's words, and for values nested deeper than
 * LIMIT_PRINT_DEPTH.
 */
#ifndef GO_TOML_OUT_H
#define GO_TOML_OUT_H

#include "base/buf.h"
#include "base/val.h"

/* With `redact` no value is in an error. */
int toml_out(struct buf *buf, const struct val *v, bool redact, struct err *err) MUST_USE;

#endif
