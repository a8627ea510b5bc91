/*
 * xml: single elements out of the XML that AWS's query services answer.
 *
 * No reader of documents: an element is found by its name, the first that has it, and ends at the first end of that name. There
 * are no namespaces, entities beyond the five of XML, nor recursion, so hostile text costs its length.
 */
#ifndef IDENTITY_XML_H
#define IDENTITY_XML_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/val.h"

/* What stands between <name …> and </name>, as it stands. */
bool xml_inside(struct str text, const char *name, struct str *ret);
/* Append the text of such an element, decoded; false when there is none or it holds other elements. */
bool xml_text(struct str text, const char *name, struct buf *ret);

#endif
