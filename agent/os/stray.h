/*
 * stray: new versions of files that were written and never renamed into their place, because their writer was killed.
 *
 * They are called `.ampule-<32 hex digits>`. Their writer, while it lives, holds a lock: on the file itself, or on the folder for
 * all that it writes there (os/held). What nobody holds is removed, and links of such names (os/generation).
 */
#ifndef OS_STRAY_H
#define OS_STRAY_H

#include "base/err.h"

#define STRAY_PREFIX   ".ampule-"
#define STRAY_RANDOM   16
#define STRAY_NAME_LEN (sizeof(STRAY_PREFIX) - 1 + 2 * STRAY_RANDOM)

/* A name that nobody can have guessed. */
void stray_name(char name[STRAY_NAME_LEN + 1]);

/* Remove those in a folder whose file nobody holds; `readable` was opened for reading. How many, or -1 with errno. */
int stray_sweep(int readable) MUST_USE;

#endif
