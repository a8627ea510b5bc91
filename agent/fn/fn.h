/*
 * fn: what the bodies of template functions (fn_*.c) share.
 *
 * A body answers through these: a text built in scratch bytes is copied into the call's arena once. Errors are Go's words without
 * the "error calling NAME: " that the evaluator puts in front.
 */
#ifndef FN_FN_H
#define FN_FN_H

#include "tpl/func.h"
#include "tpl/say.h"

#define FN_TABLE(name) extern const struct func_table name;
#include "fn/tables.def"
#undef FN_TABLE

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

/* The next code point and its width; a byte that is none is U+FFFD of width 1, as Go ranges over strings. */
size_t fn_rune(struct str s, unsigned *ret);

/* At most so many parts of `s` between separators, []string; an empty separator parts code points. */
int fn_split_n(struct call *call, struct str s, struct str separator, size_t most, struct val *ret) MUST_USE;
/* The body of `split`: [SEPARATOR, TEXT] → []string. */
int fn_split(struct call *call, struct val *ret);

/* The strings of sprig's toStrings: a []string as it is, other lists item by item without nil, nil as none, the rest as one. */
int fn_strings(struct call *call, const struct val *v, struct val *ret) MUST_USE;
/* As cast_text(), as a string of the arena. */
int fn_string(struct call *call, const struct val *v, struct val *ret) MUST_USE;

/* Whether errors must not show values; and the text of one that may name some. */
bool fn_redacts(const struct call *call);
void fn_say(const struct call *call, struct say *ret);
/* May Go compare it by == and use it as a key? No list, no map, and no struct with one in it. */
bool fn_comparable(const struct val *v);
/* Go's words for a method of nil. */
int fn_fail_nil(struct call *call);

/* live_set(), paid for: each new key moves those behind it. */
int fn_set(struct call *call, struct val *map, struct str key, const struct val *value) MUST_USE;

/* merge_maps(), paid for in the same way. */
int fn_merge(struct call *call, struct val *to, const struct val *from, bool overwrite) MUST_USE;

/* Work that takes about so many milliseconds is about to be done. */
int fn_spend(struct call *call, uint32_t ms) MUST_USE;

/* Bytes from `from` to `to` with Go's white space (unicode.IsSpace) off both ends. */
struct str fn_trim_space(struct str s);

#endif
