/*
 * percent: text as part of a URL or form, as RFC 3986 has it: all but letters, digits and "-_.~" is encoded, a blank as "%20".
 */
#ifndef IDENTITY_PERCENT_H
#define IDENTITY_PERCENT_H

#include "base/buf.h"
#include "base/val.h"

/* Append; the characters of `keep` stay as well. */
void percent_encode(struct buf *buf, struct str text, const char *keep);
/* Append what the text stands for; what is no encoding stays as it is. */
void percent_decode(struct buf *buf, struct str text);

#endif
