/*
 * folder: the names in a directory.
 *
 * Sorted bytewise, so that what depends on them comes out the same everywhere. "." and ".." are
 * left out; nothing is opened.
 */
#ifndef OS_FOLDER_H
#define OS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* Is there a directory (links are followed)? */
bool folder_is(const char *path);
/* At most `max` names (ERR_LIMIT); ERR_MISSING, ERR_DENIED, ERR_SYSTEM as errno says. */
int folder_list(const char *path, size_t max, struct arena *arena, const char *const **ret, size_t *ret_count, struct err *err)
    MUST_USE;

#endif
