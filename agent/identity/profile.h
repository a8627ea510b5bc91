/*
 * profile: AWS's files of profiles, `~/.aws/credentials` and `~/.aws/config`.
 *
 * Sections "[name]", lines "key = value", comments of whole lines; indented lines belong to the key above and are passed over.
 * The text stays the caller's and is not copied; of equal sections and keys the last counts.
 */
#ifndef IDENTITY_PROFILE_H
#define IDENTITY_PROFILE_H

#include <stdbool.h>

#include "base/val.h"

/* "[prefix name]"; an empty prefix is none. */
bool profile_has(struct str text, const char *prefix, const char *name);
/* The value of a key, trimmed; false when it is not there or empty. */
bool profile_get(struct str text, const char *prefix, const char *name, const char *key, struct str *ret);

#endif
