/*
 * acl: policies, lists of paths with capabilities, by name; HCL or JSON as Vault takes them.
 *
 * Of all rules that match a path the most specific pattern counts (exact before wildcards; then by Vault's five tie-breakers),
 * its capabilities over all policies together; deny beats everything. Patterns end in `*` for "and what follows" and hold `+` for
 * one segment. `root` and `default` exist from the start.
 */
#ifndef SANDBOX_ACL_H
#define SANDBOX_ACL_H

#include <stdbool.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/err.h"

enum acl_capability {
    ACL_CREATE = 1,
    ACL_READ = 2,
    ACL_UPDATE = 4,
    ACL_DELETE = 8,
    ACL_LIST = 16,
    ACL_SUDO = 32,
    ACL_PATCH = 64,
    ACL_DENY = 128,
    ACL_ROOT = 256,
};

struct acl_policy;
LIST_HEAD(acl, acl_policy);

int acl_init(struct acl *acl, struct err *err) MUST_USE;
void acl_done(struct acl *acl);

/* Errors in the real server's words. */
int acl_put(struct acl *acl, const char *name, const char *text, struct err *err) MUST_USE;
/* Its text as it was put; NULL when it is not there ("root" has none). */
const char *acl_text(const struct acl *acl, const char *name);
void acl_remove(struct acl *acl, const char *name);
void acl_list(const struct acl *acl, struct buf *out);

/* What the policies `names` (NULL-terminated) allow on `path` together; 0 = nothing. */
unsigned acl_capabilities(const struct acl *acl, char *const *names, const char *path);
/* Is anything allowed on `folder` or by a rule that begins with it? */
bool acl_reaches(const struct acl *acl, char *const *names, const char *folder);
/* ["read","list"], ["deny"], ["root"] */
void acl_print(unsigned capabilities, struct buf *out);

bool acl_pattern_matches(const char *pattern, const char *path);
/* > 0 when `a` is the more specific one. */
int acl_pattern_compare(const char *a, const char *b);

#endif
