/*
 * policy: lists of paths with capabilities, by name; HCL or JSON as Vault takes them.
 *
 * Of all rules that match a path the most specific pattern counts (exact before wildcards; then by Vault's five tie-breakers),
 * its capabilities over all policies together; deny beats everything. Patterns end in `*` for "and what follows" and hold `+` for
 * one segment. `root` and `default` exist from the start.
 */
#ifndef SANDBOX_POLICY_H
#define SANDBOX_POLICY_H

#include <stdbool.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/err.h"

enum policy_capability {
    POLICY_CREATE = 1,
    POLICY_READ = 2,
    POLICY_UPDATE = 4,
    POLICY_DELETE = 8,
    POLICY_LIST = 16,
    POLICY_SUDO = 32,
    POLICY_PATCH = 64,
    POLICY_DENY = 128,
    POLICY_ROOT = 256,
};

struct policy;
LIST_HEAD(policies, policy);

int policies_init(struct policies *policies, struct err *err) MUST_USE;
void policies_done(struct policies *policies);

/* Errors in the real server's words. */
int policy_put(struct policies *policies, const char *name, const char *text, struct err *err) MUST_USE;
/* Its text as it was put; NULL when it is not there ("root" has none). */
const char *policy_text(const struct policies *policies, const char *name);
void policy_remove(struct policies *policies, const char *name);
void policies_list(const struct policies *policies, struct buf *out);

/* What the policies `names` (NULL-terminated) allow on `path` together; 0 = nothing. */
unsigned policy_capabilities(const struct policies *policies, char *const *names, const char *path);
/* Is anything allowed on `folder` or by a rule that begins with it? */
bool policy_reaches(const struct policies *policies, char *const *names, const char *folder);
/* ["read","list"], ["deny"], ["root"] */
void policy_print(unsigned capabilities, struct buf *out);

bool policy_pattern_matches(const char *pattern, const char *path);
/* > 0 when `a` is the more specific one. */
int policy_pattern_compare(const char *a, const char *b);

#endif
