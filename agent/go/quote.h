/*
 * quote: strings and runes as Go source text, as strconv.Quote and its relatives write them.
 *
 * Total: bytes that are no UTF-8 become \xNN, what does not print becomes an escape. Fails only by the buffer's maximum.
 */
#ifndef GO_QUOTE_H
#define GO_QUOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/val.h"

/* "text" */
void quote_str(struct buf *buf, struct str s, bool ascii_only);
/* 'r'; what is no code point becomes U+FFFD. */
void quote_rune(struct buf *buf, uint64_t rune, bool ascii_only);
/* Can stand in `back quotes` on one line, unchanged. */
bool quote_can_be_raw(struct str s);

#endif
