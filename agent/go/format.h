/*
 * format: values as text, the way Go's fmt prints them.
 *
 * Typed nils: a nil pointer is a VAL_RECORD whose `pairs` are NULL (prints "<nil>"), a nil slice or map a VAL_LIST or VAL_MAP
 * with NULL items or pairs and no length (prints "[]", "map[]"). VAL_NULL and VAL_MISSING print as "<nil>". Addresses are never
 * shown: where Go prints one, a constant stands in its place. Nothing fails but by the buffer's maximum: see buf_check(). Values
 * nested deeper than LIMIT_PRINT_DEPTH print as "...".
 */
#ifndef GO_FORMAT_H
#define GO_FORMAT_H

#include "base/buf.h"
#include "base/val.h"

/* fmt.Fprint() of one value; a top-level pointer to a struct prints as the struct ("{a b}"), because templates follow it first.
 */
void format_print(struct buf *buf, const struct val *v);
/* fmt.Fprint(): a space between two neighbours of which none is a string; pointers to structs print as "&{a b}". */
void format_sprint(struct buf *buf, const struct val *argv, size_t argc);
/* fmt.Fprintln(): always a space between, a newline behind. */
void format_sprintln(struct buf *buf, const struct val *argv, size_t argc);
/* fmt.Fprintf(), error forms included ("%!d(string=x)", "%!s(MISSING)"). */
void format_sprintf(struct buf *buf, struct str format, const struct val *argv, size_t argc);
/* One value under a plain verb: format_verb(buf, 's', v) is fmt.Fprintf("%s", v). */
void format_verb(struct buf *buf, char verb, const struct val *v);
/* Go's name of the value's dynamic type ("[]interface {}", "json.Number"); "<nil>" for VAL_NULL and VAL_MISSING. Static storage.
 */
const char *format_type_name(const struct val *v);
/* %q of a string. */
void format_quote(struct buf *buf, struct str s);
/* %#U of a code point: U+002D '-', without the quoted form when it is not printable. */
void format_rune_name(struct buf *buf, unsigned rune);

#endif
