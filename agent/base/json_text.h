/*
 * json_text: JSON text written front to back into a buf.
 *
 * Commas come by themselves, from what the text ends in. Strings are escaped as Go's encoder does (< > & as \u003c …), since the
 * agent's configuration is compared byte for byte. Whether everything fitted says buf_check().
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/val.h"

/* What to put before a value: a comma unless something that opens stands there. Callers that write raw text call it. */
void json_text_next(struct buf *out);
void json_text_open(struct buf *out, char bracket);
void json_text_close(struct buf *out, char bracket);
void json_text_key(struct buf *out, const char *key);
void json_text_str(struct buf *out, struct str s);
/* NULL is null. */
void json_text_cstr(struct buf *out, const char *s);
void json_text_int(struct buf *out, int64_t i);
void json_text_bool(struct buf *out, bool b);
/* A value that was read as JSON or YAML; NULL is null. */
void json_text_val(struct buf *out, const struct val *v);
/* What is JSON text already; NULL and "" are null. */
void json_text_raw(struct buf *out, const char *json);

/* "key": value. The second leaves out empty strings, the third false. */
void json_text_member(struct buf *out, const char *key, struct str s);
void json_text_member_if(struct buf *out, const char *key, struct str s);
void json_text_flag_if(struct buf *out, const char *key, bool b);

#endif
