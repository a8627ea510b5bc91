/*
 * parse: the grammar of templates, read once from left to right while codegen builds the code; for tpl/ only.
 *
 * Nothing recurses: open control structures and open pipelines (parentheses) lie on stacks of their own, so that no source can
 * exhaust the C stack. parse.c reads text and actions, pipe.c pipelines.
 */
#ifndef TPL_PARSE_H
#define TPL_PARSE_H

#include "base/err.h"
#include "tpl/code.h"
#include "tpl/env.h"

/* Compile tpl->source into tpl; its name, delimiters and arena are set. `options` may be NULL. */
int parse_template(struct tpl *tpl, const struct tpl_options *options, struct err *err) MUST_USE;

#endif
