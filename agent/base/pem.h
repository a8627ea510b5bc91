/*
 * pem: RFC 7468's text around bytes.
 *
 * Reading looks for the first block that is whole, as Go's encoding/pem does: text around it is skipped, headers too.
 */
#ifndef BASE_PEM_H
#define BASE_PEM_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/val.h"

/* False when there is none. *ret_label lies in the text; the bytes are appended. */
bool pem_first(struct str text, struct str *ret_label, struct buf *bytes);
/* Lines of 64 characters. */
void pem_add(struct buf *buf, const char *label, const void *data, size_t len);

#endif
