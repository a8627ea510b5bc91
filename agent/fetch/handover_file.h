/*
 * handover_file: a file in memory that passes secret bytes from one process to the next of the same uid, once.
 *
 * Its folder must be a tmpfs: on a disk a token would outlive the pod, and overwriting would not remove it. Mode 0600; what
 * belongs to somebody else, may be read by others, is a link or has a second name is refused and left alone.
 */
#ifndef FETCH_HANDOVER_FILE_H
#define FETCH_HANDOVER_FILE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Appears whole or not at all. */
int handover_file_put(const char *path, const struct buf *text, struct err *err) MUST_USE;
/* Read, overwrite, remove; of two takers one finds it. `ret` is made secret by this call. */
int handover_file_take(const char *path, struct buf *ret, bool *ret_found, struct err *err) MUST_USE;

#endif
