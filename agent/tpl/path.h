/*
 * path: slash-separated paths as text, as Go's package path takes them apart. Nothing looks at files.
 */
#ifndef TPL_PATH_H
#define TPL_PATH_H

#include "base/buf.h"
#include "base/val.h"

/* The shortest path that says the same, or "."; appended. */
void path_clean(struct buf *buf, struct str path);
/* What is in front of and with the last slash; not cleaned. */
struct str path_head(struct str path);
/* The last element, "." or "/". */
struct str path_base(struct str path);
/* From the last point of the last element on, or nothing. */
struct str path_ext(struct str path);

#endif
