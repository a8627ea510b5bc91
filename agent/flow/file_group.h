/*
 * file_group: templates whose files switch together (`ampule.atomic_group`), and when they may.
 *
 * Belongs to flow/templates. The group is due when one of its members has new bytes, or when the members are others; it is ready
 * when no member is behind: each has its bytes in hand, or is on disk as its secrets are. So nothing is seen before every member
 * could be rendered, and later one that fails, waits for a secret or holds a change back (`wait`) holds back the others. Members
 * that did not change stay as they are on disk: they are not evaluated for it.
 */
#ifndef FLOW_FILE_GROUP_H
#define FLOW_FILE_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "flow/notify.h"
#include "flow/one_template.h"

struct file_group {
    const struct config_group *config;
    struct one_template **members; /* those that are rendered, in their order */
    size_t count;
    struct notify_rule rule; /* its command; label NULL: it has none */
    bool due;
    bool changed; /* it was switched, and nobody told yet */
};

struct file_groups {
    struct file_group *items;
    size_t count;
};

/* The templates of a configuration, borrowed as that is; `numbers` of the commands as in flow/programs. Each template learns its
 * group; every group is due. */
void file_groups_init(struct file_groups *groups, const struct config *config, struct one_template *const *templates,
                      const int *numbers);
void file_groups_done(struct file_groups *groups); /* zeroed structs are accepted */
/* What switching opens beside what the members do. */
void file_groups_reach(const struct file_groups *groups, struct reach *reach);

/* It is due, and no member is behind. One whose file somebody else touched is, and becomes due for it. */
bool file_group_ready(struct file_group *group);
/* Write the members and switch; how each fared is in its `changed`. The error names the group. */
int file_group_switch(struct file_group *group, struct held *held, struct err *err) MUST_USE;
/* It failed: all that were finished are tried again at one moment. The time until then. */
int64_t file_group_fail(struct file_group *group, const struct err *err);

#endif
