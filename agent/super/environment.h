/*
 * environment: what a supervised program finds in its environment besides our own: names, and values that are secret.
 *
 * Values lie in wiped memory. environment_seal() writes them all into a memory file that was never in the file system, for
 * super/guard. Of what was accepted a digest is kept: environment_differs() says whether anything is different now.
 * A value's limit is the kernel's for one string, all of them are bounded by LIMIT_ENVIRONMENT_BYTES; a zero byte is refused.
 * Errors name the variable, never its value.
 */
#ifndef SUPER_ENVIRONMENT_H
#define SUPER_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

struct environment;

/* `count` variables, without values yet; the names are borrowed. */
struct environment *environment_new(const char *const *names, size_t count);
void environment_free(struct environment *environment); /* NULL is accepted */

/* Other variables: one of the same name keeps its value. */
void environment_rename(struct environment *environment, const char *const *names, size_t count);
int environment_set(struct environment *environment, const char *name, const void *value, size_t len, struct err *err) MUST_USE;
/* Every variable has a value. */
bool environment_complete(const struct environment *environment);
/* From what was accepted last; true before. */
bool environment_differs(const struct environment *environment);
void environment_accept(struct environment *environment);
/* A descriptor of "NAME=value\0" in a row, whose bytes the reader wipes; the caller closes it. */
int environment_seal(const struct environment *environment, int *ret_fd, struct err *err) MUST_USE;

/* For the reader: the whole of it as shared memory, NULL for one without variables. 0, or an errno. environment_discard() wipes
 * and unmaps. */
int environment_map(int fd, char **ret, size_t *ret_len) MUST_USE;
void environment_discard(char *map, size_t len); /* NULL is accepted */
/* `base` without the names that stand in the mapped bytes, then these: pointers alone, an array that the caller frees. */
const char **environment_merge(const char *const *base, const char *map, size_t len) MUST_USE;

#endif
