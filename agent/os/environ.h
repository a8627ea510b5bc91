/*
 * environ: our own environment, and those of programs we start: NULL-terminated arrays of "NAME=value" on the heap.
 *
 * Children get an environment that was built, not the one we happen to have.
 */
#ifndef OS_ENVIRON_H
#define OS_ENVIRON_H

#include "base/mem.h"

const char *environ_get(const char *name); /* NULL where it is not set or empty */
/* `base` with `add` ("NAME=value") replacing or appended; the names in `drop` pass in no way. Lists end in NULL; NULL is an empty
 * list. */
const char **environ_build(const char *const *base, const char *const *drop, const char *const *add) MUST_USE;
/* Those of `base` whose name one of the shell patterns in `allow` describes (all, when it is empty), and none in `deny`. */
const char **environ_pick(const char *const *base, const char *const *allow, const char *const *deny) MUST_USE;
/* These leave our own environment, and the memory that /proc/PID/environ shows. */
void environ_forget(const char *const *names);
void environ_free(const char **environment); /* NULL is accepted */

#endif
