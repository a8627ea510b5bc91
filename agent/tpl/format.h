/*
 * format: values as text, the way Go's fmt prints them.
 *
 * Typed nils: a nil pointer is a VAL_RECORD whose `pairs` are NULL (prints "<nil>"), a nil slice or map a VAL_LIST or VAL_MAP with NULL
 * items or pairs and no length (prints "[]", "map[]"). VAL_NULL and VAL_MISSING print as "<nil>".
 * Nothing fails but by the buffer's maximum: see buf_check().
 */
#ifndef TPL_FORMAT_H
#define TPL_FORMAT_H

#include "base/buf.h"
#include "base/val.h"

/* fmt.Fprint() of one value; a top-level pointer to a struct prints as the struct ("{a b}"), because templates follow it first. */
void format_print(struct buf *buf, const struct val *v);
/* Go's name of the value's dynamic type ("[]interface {}", "json.Number"); "<nil>" for VAL_NULL and VAL_MISSING. Static storage. */
const char *format_type_name(const struct val *v);
/* %q of a string. */
void format_quote(struct buf *buf, struct str s);
/* %#U of a code point: U+002D '-', without the quoted form when it is not printable. */
void format_rune_name(struct buf *buf, unsigned rune);

#endif
