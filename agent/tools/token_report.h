/*
 * token_report: what a login gave, as the originals' commands print it: a table, JSON, YAML, or one field.
 *
 * Reads the answer to a login: "auth", or "wrap_info" where it was to be wrapped.
 */
#ifndef TOOLS_TOKEN_REPORT_H
#define TOOLS_TOKEN_REPORT_H

#include "vault/reply.h"

enum report_format { REPORT_TABLE, REPORT_JSON, REPORT_YAML };

/* "table", "json", "yaml", "yml"; ERR_INPUT for others. */
int report_format_find(const char *name, enum report_format *ret, struct err *err) MUST_USE;

/* All of it, to standard output; warnings of the server go to standard error beside a table. */
int token_report(const struct reply *reply, enum report_format format, struct err *err) MUST_USE;
/* One field; ERR_MISSING: there is none of that name. The line end is left out unless somebody looks at it. */
int token_report_field(const struct reply *reply, const char *field, enum report_format format, struct err *err) MUST_USE;

#endif
