/*
 * eval: runs the code of a template; for tpl/ only.
 *
 * One loop over ops, two heap stacks (slots, template calls) and an arena for what functions make; all of it is wiped at the end.
 * Nothing recurses. Bounded by LIMIT_TEMPLATE_STEPS, _DEPTH, _STACK_BYTES and _MEMORY; the output by its buffer.
 */
#ifndef TPL_EVAL_H
#define TPL_EVAL_H

#include "base/buf.h"
#include "base/err.h"
#include "tpl/code.h"

/* Append what the root unit prints with `root` as dot. */
int eval_run(const struct tpl *tpl, const struct val *root, const struct tpl_env *env, struct buf *out, struct err *err) MUST_USE;

#endif
