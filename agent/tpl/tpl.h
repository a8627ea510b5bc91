/*
 * tpl: a compiled Go template, and its execution.
 *
 * Pure: text and values in, text out. What templates ask of the outside world (secrets, files, environment) is answered by the
 * embedder's callbacks in struct tpl_env from what it already has; what is not there yet is noted by the embedder and answered as
 * nil, so evaluation never waits. A template is immutable after tpl_parse() and may be executed any number of times. Errors carry
 * Go's words and positions: "template: NAME:LINE:COL: executing "NAME" at <…>: …". They never carry values of secrets: see
 * `redact`. Limits: LIMIT_TEMPLATE_BYTES, LIMIT_OUTPUT_BYTES and those of the evaluator in base/limits.h.
 */
#ifndef TPL_TPL_H
#define TPL_TPL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/val.h"
#include "tpl/env.h"

struct tpl;

/* Compile. The source is copied. On failure *ret is untouched and the text is Go's parse error. */
int tpl_parse(const char *source, size_t len, const struct tpl_options *options, struct tpl **ret, struct err *err) MUST_USE;
/* Is this text written in the source? What is not was put together of data, and may be secret. */
bool tpl_mentions(const struct tpl *tpl, struct str text);
void tpl_free(struct tpl *tpl);
void tpl_cleanup(struct tpl **tpl);
#define _cleanup_tpl_ _cleanup_(tpl_cleanup)

/*
 * Run with `root` as dot and $, appending to `out`. `root` of VAL_NULL is what Vault Agent passes.
 * Temporary memory comes from an arena of its own that is wiped at the end; `out` decides itself whether it is secret.
 */
int tpl_execute(const struct tpl *tpl, const struct val *root, const struct tpl_env *env, struct buf *out, struct err *err)
    MUST_USE;

#endif
