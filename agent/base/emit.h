/*
 * emit: JSON text written front to back into a buf.
 *
 * Commas come by themselves, from what the text ends in. Strings are escaped as Go's encoder does (< > & as \u003c …), since the agent's
 * configuration is compared byte for byte. Whether everything fitted says buf_check().
 */
#ifndef BASE_EMIT_H
#define BASE_EMIT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/val.h"

/* What to put before a value: a comma unless something that opens stands there. Callers that write raw text call it. */
void emit_next(struct buf *out);
void emit_open(struct buf *out, char bracket);
void emit_close(struct buf *out, char bracket);
/* `key` is plain ASCII without anything to escape. */
void emit_key(struct buf *out, const char *key);
void emit_str(struct buf *out, struct str s);
void emit_cstr(struct buf *out, const char *s);
void emit_int(struct buf *out, int64_t i);
void emit_bool(struct buf *out, bool b);
/* A value that was read as JSON. */
void emit_val(struct buf *out, const struct val *v);

/* "key": value. The second leaves out empty strings, the third false. */
void emit_member(struct buf *out, const char *key, struct str s);
void emit_member_if(struct buf *out, const char *key, struct str s);
void emit_flag_if(struct buf *out, const char *key, bool b);

#endif
