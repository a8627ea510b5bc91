#include "flow/file_group.h"

#include "base/clock.h"
#include "base/mem.h"
#include "config/atomic_group.h"
#include "flow/programs.h"

/* ------------------------------------------------------------------------------------------------ who belongs to it */

static void set_rule(struct file_group *group, int program)
{
    if (program != PROGRAM_NONE)
        group->rule = (struct notify_rule){
            .label = group->config->path, .program = program, .timeout_ms = group->config->command.timeout_ms};
}

void file_groups_init(struct file_groups *groups, const struct config *config, struct one_template *const *templates,
                      const int *numbers)
{
    _cleanup_free_ size_t *found = mem_array(config->template_count, sizeof(*found));

    *groups = (struct file_groups){mem_array(config->group_count, sizeof(*groups->items)), config->group_count};
    for (size_t i = 0; i < groups->count; i++) {
        groups->items[i] = (struct file_group){.config = &config->groups[i], .due = true};
        groups->items[i].members = mem_array(config->template_count, sizeof(struct one_template *));
        set_rule(&groups->items[i], numbers[config->template_count + i]);
    }
    atomic_group_find(config, found);
    for (size_t i = 0; i < config->template_count; i++) {
        struct file_group *group = found[i] == ATOMIC_GROUP_NONE ? NULL : &groups->items[found[i]];

        templates[i]->group = group;
        if (group && !templates[i]->shadowed)
            group->members[group->count++] = templates[i];
    }
}

void file_groups_done(struct file_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        mem_free(groups->items[i].members);
    mem_free(groups->items);
    *groups = (struct file_groups){0};
}

void file_groups_reach(const struct file_groups *groups, struct reach *reach)
{
    for (size_t i = 0; i < groups->count; i++)
        reach_folder(reach, groups->items[i].config->folder, REACH_SWITCH);
}

/* ------------------------------------------------------------------------------------------------------------- when */

/* It has no bytes for the group, and what is on disk is not its last word. */
static bool is_behind(struct one_template *one)
{
    if (one->turn.due != CLOCK_NEVER)
        return true;
    if (one->finished)
        return false;
    if (!one->written || one->last || !outcome_finished(&one->outcome))
        return true;
    if (!one_template_touched(one))
        return false;
    agenda_plan(&one->turn, clock_now());
    return true;
}

bool file_group_ready(struct file_group *group)
{
    bool behind = !group->due || !group->count;

    for (size_t i = 0; i < group->count && !behind; i++)
        behind = is_behind(group->members[i]);
    return !behind;
}

/* ---------------------------------------------------------------------------------------------------------- writing */

/* Each member is one of the set; what it wrote with `writeToFile` lies beside. */
struct batch {
    struct write_item *set, *beside;
    size_t beside_count;
};

static void fill(const struct file_group *group, struct batch *batch)
{
    for (size_t i = 0; i < group->count; i++) {
        struct one_template *one = group->members[i];
        size_t count = one_template_count(one) - 1;
        _cleanup_free_ struct write_item *items = mem_array(count + 1, sizeof(*items));

        one_template_items(one, items);
        items[count].kept = !one->finished;
        batch->set[i] = items[count];
        for (size_t k = 0; one->finished && k < count; k++)
            batch->beside[batch->beside_count++] = items[k];
    }
}

static void note(struct file_group *group, const struct batch *batch)
{
    size_t at = 0;

    for (size_t i = 0; i < group->count; i++) {
        struct one_template *one = group->members[i];

        one->changed |= batch->set[i].changed;
        for (size_t k = one->finished ? one_template_count(one) - 1 : 0; k > 0; k--)
            one->changed |= batch->beside[at++].changed;
        group->changed |= one->changed;
    }
}

int file_group_switch(struct file_group *group, struct held *held, struct err *err)
{
    size_t most = 0;
    struct batch batch = {0};
    int failed;

    for (size_t i = 0; i < group->count; i++)
        most += one_template_count(group->members[i]);
    batch.set = mem_array(group->count, sizeof(*batch.set));
    batch.beside = mem_array(most, sizeof(*batch.beside));
    fill(group, &batch);
    failed = write_group(held, batch.set, group->count, batch.beside, batch.beside_count, err);
    note(group, &batch);
    mem_free(batch.set);
    mem_free(batch.beside);
    return failed ? err_wrap(err, "%s", group->config->path) : 0;
}

static bool any_finished(const struct file_group *group)
{
    size_t i = 0;

    while (i < group->count && !group->members[i]->finished)
        i++;
    return i < group->count;
}

int64_t file_group_fail(struct file_group *group, const struct err *err)
{
    bool some = any_finished(group);
    int64_t wait = -1;

    for (size_t i = 0; i < group->count; i++) {
        struct one_template *one = group->members[i];
        int64_t own;

        /* With nothing in hand it is the first that brings the group here again. */
        if (some ? !one->finished : i > 0)
            continue;
        one->finished = false;
        outcome_wipe(&one->outcome);
        own = one_template_fail(one, err);
        wait = wait < 0 ? own : wait;
        agenda_plan(&one->turn, clock_now() + wait);
    }
    return wait;
}
