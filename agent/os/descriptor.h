/*
 * descriptor: all descriptors from a number on, closed now or at the next program, on every kernel.
 *
 * close_range(2) needs Linux 5.9, its flag 5.11, and old container runtimes refuse it: then what /proc lists is taken one by one,
 * and without /proc every number up to LIMIT_DESCRIPTORS.
 */
#ifndef OS_DESCRIPTOR_H
#define OS_DESCRIPTOR_H

#include <stdbool.h>

/* False when none of the sure ways exists: higher numbers than LIMIT_DESCRIPTORS may be left. */
bool descriptors_close(int first);
bool descriptors_close_on_exec(int first);

#endif
