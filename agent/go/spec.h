/*
 * spec: flags, width and precision of one verb, and simple values printed by them.
 *
 * What fmt's verbs mean for strings, numbers and runes, without regard to where the value came from. Each function appends to
 * `buf`, padded to the width (counted in code points). Fails only by the buffer's maximum.
 */
#ifndef GO_SPEC_H
#define GO_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/val.h"

struct spec {
    bool minus, plus, sharp, space, zero;
    bool plus_v, sharp_v; /* %+v and %#v: not the flags of the values inside */
    bool has_width, has_precision;
    int width, precision;
};

void spec_text(const struct spec *spec, struct buf *buf, struct str s);   /* %s, cut to the precision */
void spec_padded(const struct spec *spec, struct buf *buf, struct str s); /* not cut */
void spec_quoted(const struct spec *spec, struct buf *buf, struct str s); /* %q */
void spec_hex(const struct spec *spec, struct buf *buf, struct str s, bool upper);
/* `verb` is one of d b o O x X; `negative` says that `u` is the size of a negative number. */
void spec_integer(const struct spec *spec, struct buf *buf, uint64_t u, bool negative, char verb);
void spec_char(const struct spec *spec, struct buf *buf, uint64_t rune);        /* %c */
void spec_quoted_char(const struct spec *spec, struct buf *buf, uint64_t rune); /* %q */
void spec_unicode(const struct spec *spec, struct buf *buf, uint64_t rune);     /* %U */
/* `form` as number_float() takes it, `precision` where the spec gives none. */
void spec_float(const struct spec *spec, struct buf *buf, double f, char form, int precision);

#endif
