/*
 * printer: one value under one verb; what format.c and printf.c share.
 *
 * The spec is set before each value. Appends only; fails by the buffer's maximum.
 */
#ifndef GO_PRINTER_H
#define GO_PRINTER_H

#include "base/buf.h"
#include "base/val.h"
#include "go/spec.h"

struct printer {
    struct buf *buf;
    struct spec spec;
    bool bad; /* inside of "%!z(…)": Go calls no methods there */
};

/* `verb` is a code point: any verb, bad ones included. */
void printer_value(struct printer *p, const struct val *v, unsigned verb);

#endif
