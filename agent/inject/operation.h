/*
 * operation: one operation of an RFC 6902 patch on a jansson document, within an effort.
 */
#ifndef INJECT_OPERATION_H
#define INJECT_OPERATION_H

#include <jansson.h>

#include "inject/effort.h"

void operation_json_cleanup(json_t **json);
#define _cleanup_json_ _cleanup_(operation_json_cleanup)

/* From here on everything that jansson allocates is paid by `effort`, and fails when that is spent; NULL ends it. Not nested. */
void operation_pay(struct effort *effort);
/* Between the two. Neither `*doc` nor the operation is deeper than LIMIT_DEPTH, and what comes of it is not either. */
int operation_apply(json_t **doc, const json_t *operation, struct err *err) MUST_USE;

/* What Go's decoder calls a value's type. */
const char *operation_go_type(const json_t *value);

#endif
