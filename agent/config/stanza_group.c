#include <stdio.h>
#include <string.h>

#include "base/hcl.h"
#include "base/limits.h"
#include "config/options.h"
#include "config/stanza.h"

/* A group as it is written. */
struct group {
    struct config_group g;
    const char *const *command;
};

#define OPTION_STRUCT struct group
static const struct option group_options[] = {OPTION_ROWS(OPTIONS_ATOMIC_GROUP)};
#undef OPTION_STRUCT
static const struct stanza group_table = {"ampule.atomic_group", group_options, ARRAY_LEN(group_options), true, false};

static void add(struct reading *reading, struct config *config, const struct config_group *group)
{
    size_t n = config->group_count;
    struct err err;
    struct config_group *more = arena_regrow(reading->arena, config->groups, n, n + 1, sizeof(*more), &err);

    if (!more)
        return;
    config->groups = more;
    config->groups[config->group_count++] = *group;
}

static void read_one(struct reading *reading, const char *name, const struct val *block, struct config *config)
{
    struct group group = {.g = {.folder = "", .name = name, .command.timeout_ms = STANZA_COMMAND_MS}};
    int64_t timeout_ms;
    struct err err;
    char item[64];
    const char *path;

    snprintf(item, sizeof(item), "ampule.atomic_group[%.32s]", name);
    path = arena_strndup(reading->arena, item, strlen(item), &err);
    option_read(reading, &group_table, block, item, &group);
    timeout_ms = group.g.command.timeout_ms;
    stanza_command(reading, group.command, &group.g.command);
    group.g.command.timeout_ms = timeout_ms;
    group.g.path = path ? path : "";
    group.g.place = (struct val_place){block->line, block->column};
    group.g.file = block->file;
    if (config->group_count == LIMIT_ATOMIC_GROUPS)
        option_problem(reading, PROBLEM_ERROR, block, item, "more than %d groups", LIMIT_ATOMIC_GROUPS);
    else
        add(reading, config, &group.g);
}

void stanza_atomic_group(struct reading *reading, const struct val *v, const char *path, void *into)
{
    size_t count = hcl_block_count(v);

    for (size_t i = 0; i < count; i++) {
        const struct val *block = hcl_block(v, i);

        if (!stanza_has_names(block)) {
            option_problem(reading, PROBLEM_ERROR, block, path, "needs a name: atomic_group \"NAME\" { folder = ... }");
            continue;
        }
        for (size_t k = 0; k < block->map.len; k++)
            read_one(reading, block->map.pairs[k].key->s.data, &block->map.pairs[k].value, into);
    }
    if (count == 0)
        option_problem(reading, PROBLEM_ERROR, v, path, "must be a block: atomic_group \"NAME\" { folder = ... }");
}
