/*
 * fn: what the bodies of template functions (fn_*.c) share.
 *
 * A body answers through these: a text built in scratch bytes is copied into the call's arena once. Errors are Go's words without the
 * "error calling NAME: " that the evaluator puts in front.
 */
#ifndef TPL_FN_H
#define TPL_FN_H

#include "tpl/func.h"

extern const struct func_table fn_compare, fn_core, fn_encode, fn_env, fn_escape, fn_regex, fn_text, fn_time;

/* Empty bytes to write into: the call's scratch, or `own`, which the caller has zeroed and cleans up. */
struct buf *fn_scratch(struct call *call, struct buf *own);
/* The bytes as the result. */
int fn_return_buf(struct call *call, const struct buf *buf, struct val *ret) MUST_USE;
/* A part of an argument, not copied. */
int fn_return_part(const char *data, size_t len, struct val *ret);
int fn_return_bool(bool b, struct val *ret);
int fn_return_int(int64_t i, struct val *ret);

/* Bytes from `from` to `to` with Go's white space (unicode.IsSpace) off both ends. */
struct str fn_trim_space(struct str s);

#endif
