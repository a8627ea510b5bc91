/*
 * landlock: which files and TCP ports are left to this process, decided by the kernel's Landlock: those of the reach.
 *
 * Used by os/harden only. What the running kernel cannot restrict is named in the gaps: files need Linux 5.13, TCP ports 6.7.
 */
#ifndef OS_LANDLOCK_H
#define OS_LANDLOCK_H

#include <stdbool.h>

#include "os/gaps.h"
#include "os/reach.h"

/* `listens`: bind stays possible. */
void landlock_apply(const struct reach *reach, bool listens, struct gaps *gaps);

#endif
