/*
 * json_members: many members of a JSON object at once.
 *
 * They come from a list of "name:type" words and one argument a word: s string (NULL = null), i int64_t, b int, r JSON text (NULL
 * = null), t time in ms since 1970 (0 = ""), T the same (0 = null), v struct val *. Names are sorted by the caller where the real
 * server's are.
 */
#ifndef SANDBOX_JSON_MEMBERS_H
#define SANDBOX_JSON_MEMBERS_H

#include "base/json_text.h"

void json_members(struct buf *out, const char *spec, ...);
/* The whole object. */
void json_members_object(struct buf *out, const char *spec, ...);

#endif
