/*
 * diag: where in a template something went wrong, in Go's words; for tpl/ only.
 *
 * Errors of an execution name line, byte column, the template that ran, and the node that was evaluated last, printed anew from
 * its source.
 */
#ifndef TPL_DIAG_H
#define TPL_DIAG_H

#include "base/buf.h"
#include "base/err.h"
#include "tpl/code.h"

/* The tokens of source[start, end) as Go prints their nodes. `key_only`: see NODE_KEY_ONLY. */
void diag_print(const struct tpl *tpl, uint32_t start, uint32_t end, bool key_only, struct buf *out);
void diag_print_node(const struct tpl *tpl, const struct node *node, struct buf *out);

/* Put `template: NAME:LINE:COL: executing "UNIT" at <NODE>` in front of the text of `err`; the same uncut into `whole` unless
 * NULL; returns -1. */
int diag_wrap(const struct tpl *tpl, const struct unit *unit, uint32_t node, struct buf *whole, struct err *err);

/* A template that is called has no definition: as {{template}} says it, and as executeTemplate does. */
int diag_not_defined(struct str name, struct err *err);
int diag_not_associated(const struct tpl *tpl, struct str name, bool redact, struct err *err);

#endif
