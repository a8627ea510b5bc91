/*
 * merge: one map into another, deeply, as the Go library mergo does it for maps of any values.
 *
 * What the destination lacks, or has empty, comes from the source; maps on both sides are merged in turn; else the destination
 * stays, unless it is to be overwritten. The destination is a live map and changes; lists and maps that come from the source are
 * shared with it afterwards.
 */
#ifndef FN_MERGE_H
#define FN_MERGE_H

#include "base/val.h"

int merge_maps(struct arena *arena, struct val *to, const struct val *from, bool overwrite, struct err *err) MUST_USE;

#endif
