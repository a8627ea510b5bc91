/*
 * cast: any value as a number, text or name, where functions take what they get.
 *
 * Source of the rules: spf13/cast and reflect, as sprig uses them. Total: what cannot be converted is 0, as there.
 */
#ifndef FN_CAST_H
#define FN_CAST_H

#include "base/buf.h"
#include "base/val.h"

/* cast.ToInt64: numbers, numerals ("0x10", "010", "3.99" is 3), booleans. */
int64_t cast_int(const struct val *v);
/* cast.ToFloat64 */
double cast_float(const struct val *v);
/* sprig's strval: strings as they are, the rest as %v. */
void cast_text(struct buf *buf, const struct val *v);
/* reflect.Kind: "slice", "invalid". */
const char *cast_kind(const struct val *v);

bool cast_is_text(const struct val *v);   /* of Go's kind string */
bool cast_is_string(const struct val *v); /* of Go's type string */

#endif
