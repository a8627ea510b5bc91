/*
 * yaml_out: values as YAML, byte for byte as yaml.v2 prints them.
 *
 * Block style, two columns a level, lists at the level of their key, keys in natural order, lines folded behind column 80.
 * Whether everything fitted says buf_check(). Fails for what YAML cannot say (channels, complex numbers), in Go's words, and for
 * values nested deeper than LIMIT_PRINT_DEPTH. libyaml's emitter was tried: since 0.2.3 it differs from the old one that yaml.v2
 * carries (tabs, document ends, breaks in quotes).
 */
#ifndef GO_YAML_OUT_H
#define GO_YAML_OUT_H

#include "base/buf.h"
#include "base/val.h"

int yaml_out(struct buf *buf, const struct val *v, struct err *err) MUST_USE;

#endif
