/*
 * discard: remove a credential file that was read and is meant to be used once.
 *
 * A failure is no reason to give up a login (the folder may be read-only): it is a debug line. With `follow` the target of a
 * symbolic link is removed in place of the link. Only regular files and links are removed.
 */
#ifndef OS_DISCARD_H
#define OS_DISCARD_H

#include <stdbool.h>

void discard_file(const char *path, bool follow);

#endif
