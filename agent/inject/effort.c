#include "inject/effort.h"

#include "base/limits.h"

void effort_init(struct effort *effort, size_t review_bytes)
{
    size_t most = LIMIT_REVIEW_EFFORT_BASE + LIMIT_REVIEW_EFFORT_FACTOR * review_bytes;

    if (most > LIMIT_REVIEW_EFFORT_BYTES)
        most = LIMIT_REVIEW_EFFORT_BYTES;
    *effort = (struct effort){most, most, false};
}

int effort_check(const struct effort *effort, struct err *err)
{
    if (!effort->spent)
        return 0;
    return err_set(err, ERR_LIMIT,
                   "the pod asks for more than its size allows: over %zu bytes would be made of it; fewer secrets, containers "
                   "or copies in JSON patches fit",
                   effort->most);
}

int effort_spend(struct effort *effort, size_t bytes, struct err *err)
{
    effort->spent |= bytes > effort->left;
    effort->left = effort->spent ? 0 : effort->left - bytes;
    return effort_check(effort, err);
}
