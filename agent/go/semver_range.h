/*
 * semver_range: constraints on versions, "1.2 - 2 || ^3.1, != 3.1.4", as Masterminds/semver reads them.
 *
 * The library's syntax is that of its regular expressions, quirks included, so it is read by them. What is read lies in the
 * arena.
 */
#ifndef GO_SEMVER_RANGE_H
#define GO_SEMVER_RANGE_H

#include "base/arena.h"
#include "go/semver.h"

struct semver_range;

/* With `redact` the error shows nothing of the text. */
int semver_range_parse(struct arena *arena, struct str text, bool redact, struct semver_range **ret, struct err *err) MUST_USE;
bool semver_range_has(const struct semver_range *range, const struct semver *version);

#endif
