/*
 * pathname: slash-separated paths as text, as Go's package path takes them apart. Nothing looks at files.
 */
#ifndef GO_PATHNAME_H
#define GO_PATHNAME_H

#include "base/buf.h"
#include "base/val.h"

/* The shortest path that says the same, or "."; appended. */
void pathname_clean(struct buf *buf, struct str path);
/* What is in front of and with the last slash; not cleaned. */
struct str pathname_head(struct str path);
/* The last element, "." or "/". */
struct str pathname_base(struct str path);
/* From the last point of the last element on, or nothing. */
struct str pathname_ext(struct str path);

#endif
