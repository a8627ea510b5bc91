/*
 * landlock: which files and TCP ports are left to this process, decided by the kernel's Landlock: those of the plan's reach.
 *
 * Used by os/harden only. What the running kernel cannot restrict is named in `gaps`: files need Linux 5.13, TCP ports 6.7.
 */
#ifndef OS_LANDLOCK_H
#define OS_LANDLOCK_H

#include "base/err.h"
#include "os/harden.h"

void landlock_apply(const struct harden_plan *plan, struct harden_report *report);

#endif
