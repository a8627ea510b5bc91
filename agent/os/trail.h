/*
 * trail: the way to a folder or file, walked name by name, where only root and we ourselves say where it leads.
 *
 * A symbolic link is followed when no other uid can have put it there: its folder belongs to root or to us, and so does the link
 * unless nobody else may write to that folder. So `current -> releases/7` is followed as it is re-pointed, kubelet's `..data` and
 * /var/run are, and what a neighbour plants in a folder that it shares or owns is not. Nothing is kept: what was opened is what
 * is looked at, so a swap in between changes nothing. Results are descriptors, -1 with errno: ELOOP a link of somebody else's (or
 * too many), EXDEV a link that leads out of its volume.
 */
#ifndef OS_TRAIL_H
#define OS_TRAIL_H

#include <stdbool.h>

#include "base/err.h"

/*
 * The folder, as an O_PATH descriptor; with `create` what is missing is made (0755). Links of a volume (another mount than "/")
 * must stay in it: other containers that mount it have a root of their own.
 */
int trail_folder(const char *path, bool create) MUST_USE;

/* A file, with the flags of open(2); O_CLOEXEC is added. */
int trail_file(const char *path, int flags) MUST_USE;

#endif
