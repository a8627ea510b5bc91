/*
 * out: JSON text, written front to back into a buf.
 *
 * The commas come by themselves, from what the text ends in. out_object() writes a whole object from a list of "name:type" words
 * and one argument a word: s string (NULL = null), i int64_t, b int, r JSON text (NULL = null), t time in ms since 1970 (0 = ""),
 * v struct val *. Names are sorted by the caller where the real server's are. Whether everything fitted says buf_check().
 */
#ifndef SANDBOX_OUT_H
#define SANDBOX_OUT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/val.h"

void out_open(struct buf *out, char bracket);
void out_close(struct buf *out, char bracket);
void out_key(struct buf *out, const char *key);
void out_str(struct buf *out, const char *s);
void out_raw(struct buf *out, const char *json);
void out_val(struct buf *out, const struct val *v);
/* An object, or (out_fields) only its inside. */
void out_object(struct buf *out, const char *spec, ...);
void out_fields(struct buf *out, const char *spec, ...);

/* "2026-11-23T23:44:17.915Z" */
enum { OUT_TIME_MAX = 32 };
void out_time(int64_t wall_ms, char ret[OUT_TIME_MAX]);

#endif
