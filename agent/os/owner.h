/*
 * owner: user and group names to numbers, out of /etc/passwd and /etc/group.
 *
 * Read by hand: getpwnam(3) wants shared NSS libraries, which a static program in an empty image does not have. A number is taken
 * as it is. Refused (ERR_INPUT): signs, blanks, overflow, a name that the files do not know.
 */
#ifndef OS_OWNER_H
#define OS_OWNER_H

#include <sys/types.h>

#include "base/err.h"
#include "os/reach.h"

/* "" leaves the result untouched. */
int owner_find(const char *user, const char *group, uid_t *ret_uid, gid_t *ret_gid, struct err *err) MUST_USE;

/* What owner_find() opens. */
void owner_reach(struct reach *reach);

/* The same out of other files, for tests. */
int owner_find_in(const char *passwd, const char *group_file, const char *user, const char *group, uid_t *ret_uid, gid_t *ret_gid,
                  struct err *err) MUST_USE;

#endif
