/*
 * escape: percent-encoding as Go's net/url does it.
 */
#ifndef VAULT_ESCAPE_H
#define VAULT_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Append `text` for use as a path: slashes stay. */
void escape_path(struct buf *buf, const char *text, size_t len);
/* Append `text` for use as a name or value of a query; a blank becomes "+". */
void escape_query(struct buf *buf, const char *text, size_t len);
/* Append the bytes that `text` stands for; `plus` turns "+" into a blank. */
int escape_decode(struct buf *buf, const char *text, size_t len, bool plus, struct err *err) MUST_USE;

#endif
