/*
 * pem: RFC 7468's text around bytes.
 *
 * Blocks are found as Go's encoding/pem finds them, which is exact where it is strict: a line of its own for BEGIN and for END,
 * the same label twice, padded base64, the last BEGIN before an END counts. Text around blocks is skipped. Headers are not
 * decoded.
 */
#ifndef BASE_PEM_H
#define BASE_PEM_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/val.h"

struct pem {
    struct str label, headers; /* within the text */
    size_t line;               /* of its BEGIN, from 1 */
    bool whole;                /* else `bytes` got nothing: no END, another label, not base64 */
};

/* A text's blocks one after the other, broken ones as well; *line counts, from 1. False at the end. */
bool pem_next(struct str *rest, size_t *line, struct pem *ret, struct buf *bytes);
/* False when there is none. *ret_label lies in the text; the bytes are appended. */
bool pem_first(struct str text, struct str *ret_label, struct buf *bytes);
/* Lines of 64 characters. */
void pem_add(struct buf *buf, const char *label, const void *data, size_t len);

#endif
