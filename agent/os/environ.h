/*
 * environ: environments for programs we start: NULL-terminated arrays of "NAME=value" on the heap.
 *
 * Children get an environment that was built, not the one we happen to have. VAULT_TOKEN and BAO_TOKEN never pass.
 */
#ifndef OS_ENVIRON_H
#define OS_ENVIRON_H

#include "base/mem.h"

/* `base` without the names in `drop`, with `add` ("NAME=value") replacing or appended. Lists end in NULL; NULL is an empty list. */
const char **environ_build(const char *const *base, const char *const *drop, const char *const *add) MUST_USE;
/* The tokens leave our own environment, and the memory that /proc/PID/environ shows. */
void environ_forget_tokens(void);
void environ_free(const char **environment); /* NULL is accepted */

#endif
