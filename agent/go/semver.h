/*
 * semver: versions, as Masterminds/semver reads and compares them.
 *
 * Parts of a version lie in its text. Errors are the library's.
 */
#ifndef GO_SEMVER_H
#define GO_SEMVER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/val.h"
#include "go/typed.h"

struct semver {
    uint64_t numbers[3]; /* major, minor, patch */
    struct str prerelease, metadata, original;
};

/* "1", "v1.2", "1.2.3-beta.1+build". With `redact` the error shows nothing of the text. */
int semver_parse(struct str text, bool redact, struct semver *ret, struct err *err) MUST_USE;
/* What may stand behind "-" and "+". */
int semver_check_prerelease(struct str text, struct err *err) MUST_USE;
int semver_check_metadata(struct str text, struct err *err) MUST_USE;
/* Without a "v", with all three numbers. */
void semver_print(struct buf *buf, const struct semver *version);
/* Below 0, 0, above 0. Metadata does not count. */
int semver_compare(const struct semver *a, const struct semver *b);
/* The same of prereleases alone. */
int semver_compare_prerelease(struct str a, struct str b);

/* *semver.Version, the object of a version; and semver.Version, which .IncMajor and its like return. */
extern const struct go_class go_class_semver, go_class_semver_value;
int semver_value(struct arena *arena, const struct semver *version, struct val *ret, struct err *err) MUST_USE;

#endif
