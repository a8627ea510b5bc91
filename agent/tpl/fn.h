/*
 * fn: what the bodies of template functions (fn_*.c) share.
 *
 * A body answers through these: a text built in scratch bytes is copied into the call's arena once. Errors are Go's words without the
 * "error calling NAME: " that the evaluator puts in front.
 */
#ifndef TPL_FN_H
#define TPL_FN_H

#include "tpl/func.h"

extern const struct func_table fn_compare, fn_contain, fn_core, fn_encode, fn_env, fn_escape, fn_hash, fn_map, fn_number, fn_object,
    fn_regex, fn_spew, fn_text, fn_time, fn_title;

/* Empty bytes to write into: the call's scratch, or `own`, which the caller has zeroed and cleans up. */
struct buf *fn_scratch(struct call *call, struct buf *own);
/* The bytes as the result. */
int fn_return_buf(struct call *call, const struct buf *buf, struct val *ret) MUST_USE;
/* A part of an argument, not copied. */
int fn_return_part(const char *data, size_t len, struct val *ret);
int fn_return_bool(bool b, struct val *ret);
int fn_return_int(int64_t i, struct val *ret);

/* Where `needle` begins in `s` at or behind `from`, or s.len + 1. */
size_t fn_find(struct str s, size_t from, struct str needle);

/* The body of `split`: [SEPARATOR, TEXT] → []string. */
int fn_split(struct call *call, struct val *ret);

/* A value as an error text shows it: under a verb, or as "[redacted]". */
void fn_show(struct call *call, struct buf *buf, char verb, const struct val *v);
/* Go's words for a method of nil. */
int fn_fail_nil(struct call *call);

/* Bytes from `from` to `to` with Go's white space (unicode.IsSpace) off both ends. */
struct str fn_trim_space(struct str s);

#endif
