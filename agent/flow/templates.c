#include "flow/templates.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/same_destination.h"
#include "flow/agenda.h"
#include "flow/file_group.h"
#include "flow/one_template.h"
#include "flow/uses.h"
#include "render/write.h"

/* What is still on its way may keep a template waiting for so long after the last news: it may not need it any more. */
#define QUIET_MS ((int64_t)1000)

struct templates {
    struct templates_events events;
    const struct store *store;
    struct one_template **items;
    size_t count;
    size_t waiting;               /* so many, from the first on, are known to be on disk */
    struct one_template **walked; /* evaluated in this walk, in their order; room for all */
    size_t walked_count;
    struct agenda agenda;
    struct uses uses;
    struct file_groups groups;
    struct held held;
    struct interface *interfaces; /* NULL unless a template asks for addresses */
    size_t interface_count;
    bool stirred; /* there are others now: what is wanted has changed though nothing is due */
};

/* ----------------------------------------------------------------------------------------------------- one template */

static void template_failed(struct templates *templates, struct one_template *one, const struct err *err, bool fatal)
{
    int64_t wait = one_template_fail(one, err);

    templates->events.on_error(templates->events.ctx, err, wait, fatal);
}

static void template_run(struct templates *templates, struct one_template *one)
{
    struct err err;

    agenda_plan(&one->turn, CLOCK_NEVER);
    one->latest = CLOCK_NEVER;
    one->finished = one->news = false;
    one->settled = 0;
    if (render_run(&one->render, &one->outcome, &err) != 0) {
        err_wrap(&err, "%s", one->label);
        template_failed(templates, one, &err, one->config->error_fatal);
        return;
    }
    one->finished = outcome_finished(&one->outcome);
    log_debug("agent.template.server", "evaluated: %s secrets=%zu missing=%zu held=%zu", one->label, one->outcome.used.len,
              one->outcome.missing.len, one->outcome.held.len);
    if (!one->finished)
        outcome_wipe(&one->outcome);
}

static bool template_render(struct templates *templates, struct one_template *one)
{
    int64_t quiet_at = one->news_at + QUIET_MS;

    if (one->news && quiet_at > clock_now() && one_template_lacks(one, templates->store)) {
        agenda_plan(&one->turn, quiet_at);
        return false;
    }
    template_run(templates, one);
    return true;
}

/* Once written stays written. */
static void find_waiting(struct templates *templates)
{
    while (templates->waiting < templates->count && templates->items[templates->waiting]->written)
        templates->waiting++;
}

/* Somebody is told when its file changes. */
static bool is_told(const struct one_template *one)
{
    return one->rule_count > 0 || (one->group && one->group->rule.label);
}

static void template_written(struct templates *templates, struct one_template *one)
{
    one_template_settle(one);
    find_waiting(templates);
    if (one->changed)
        templates->events.on_written(templates->events.ctx, one->label, one->config, is_told(one));
}

/* ------------------------------------------------------------------------------------------------------ all of them */

/* Now, while the kernel may still be asked. */
static void find_interfaces(struct templates *templates)
{
    struct err err;

    for (size_t i = 0; i < templates->count; i++) {
        if (!render_mentions(templates->items[i]->config, "sockaddr"))
            continue;
        if (!templates->interfaces) {
            int count;

            templates->interfaces = mem_array(LIMIT_INTERFACES, sizeof(*templates->interfaces));
            count = interfaces_read(templates->interfaces, LIMIT_INTERFACES, &err);
            templates->interface_count = count > 0 ? (size_t)count : 0;
        }
        render_interfaces(&templates->items[i]->render, templates->interfaces, templates->interface_count);
    }
}

/* With exit_after_auth no program starts that could want a variable. */
static bool is_idle(const struct config *config, const size_t *rendered, size_t index)
{
    return rendered[index] != index || (config->exit_after_auth && config->templates[index].variable);
}

static struct one_template *new_one(struct templates *templates, const struct config *config, size_t index, bool idle,
                                    int program)
{
    return one_template_new(config, index, idle, program, templates->store, &templates->held, &templates->agenda);
}

struct templates *templates_new(const struct config *config, const struct programs *programs, const struct store *store,
                                const struct templates_events *events)
{
    struct templates *templates = mem_alloc(sizeof(*templates));
    _cleanup_free_ size_t *rendered = mem_array(config->template_count, sizeof(*rendered));

    same_destination_find(config, rendered);
    templates->events = *events;
    templates->store = store;
    templates->count = config->template_count;
    templates->items = mem_array(templates->count, sizeof(*templates->items));
    templates->walked = mem_array(templates->count, sizeof(*templates->walked));
    for (size_t i = 0; i < templates->count; i++)
        templates->items[i] = new_one(templates, config, i, is_idle(config, rendered, i), programs->numbers[i]);
    file_groups_init(&templates->groups, config, templates->items, programs->numbers);
    held_release(&templates->held);
    find_waiting(templates);
    find_interfaces(templates);
    return templates;
}

void templates_free(struct templates *templates)
{
    if (!templates)
        return;
    for (size_t i = 0; i < templates->count; i++)
        one_template_free(templates->items[i]);
    uses_done(&templates->uses);
    file_groups_done(&templates->groups);
    agenda_done(&templates->agenda);
    held_done(&templates->held);
    mem_free(templates->items);
    mem_free(templates->walked);
    mem_free(templates->interfaces);
    mem_free(templates);
}

void templates_reach(const struct templates *templates, struct reach *reach)
{
    for (size_t i = 0; i < templates->count; i++)
        one_template_want(templates->items[i]->config, reach);
    file_groups_reach(&templates->groups, reach);
}

bool templates_know_interfaces(const struct templates *templates)
{
    return templates->interfaces != NULL;
}

/* -------------------------------------------------------------------------------------------- another configuration */

static int try_to_compile(const struct templates *templates, const struct config *config, size_t index, struct err *err)
{
    const struct config_template *template = &config->templates[index];
    struct render render;
    int failed;

    render_init(&render, config, template, templates->store);
    failed = render_compile(&render, err);
    render_done(&render);
    return failed ? err_wrap(err, "%s:%u: %s", config_file(config, template->file), template->place.line, template->path) : 0;
}

int templates_check(const struct templates *templates, const struct config *config, struct difference *difference,
                    struct err *err)
{
    for (size_t i = 0; i < config->template_count; i++) {
        struct difference_template *differs = &difference->templates[i];
        bool there = differs->origin != DIFFERENCE_NONE;

        if (there && !differs->edited && render_is_stale(&templates->items[differs->origin]->render)) {
            differs->edited = true;
            difference->edited++;
        }
        if ((!there || differs->edited) && try_to_compile(templates, config, i, err) != 0)
            return -1;
    }
    return 0;
}

/* What it claimed is let go; what the one in its place wants again is there still until the next walk is over. */
static void let_go(struct templates *templates, struct one_template *one)
{
    const struct templates_events *events = &templates->events;

    for (size_t i = 0; i < one->claims.len; i++)
        events->on_dep_unused(events->ctx, one->claims.items[i]);
    for (size_t i = 0; i < one->files.len; i++)
        events->on_file_unused(events->ctx, one->files.items[i]);
    uses_forget(&templates->uses, one);
    one_template_free(one);
}

void templates_take(struct templates *templates, const struct config *config, const struct difference *difference,
                    const int *numbers)
{
    _cleanup_free_ struct one_template **before = templates->items;
    _cleanup_free_ size_t *rendered = mem_array(config->template_count, sizeof(*rendered));
    size_t count = templates->count;

    same_destination_find(config, rendered);
    templates->count = config->template_count;
    templates->items = mem_array(templates->count, sizeof(*templates->items));
    for (size_t i = 0; i < templates->count; i++) {
        const struct difference_template *differs = &difference->templates[i];
        struct one_template *one = differs->origin == DIFFERENCE_NONE ? NULL : steal(before[differs->origin]);
        bool idle = is_idle(config, rendered, i);

        if (one && !differs->edited && one->shadowed == idle) {
            one_template_move(one, config, i, numbers[i]);
            templates->items[i] = one;
            continue;
        }
        templates->items[i] = new_one(templates, config, i, idle, numbers[i]);
        if (!one)
            continue;
        templates->items[i]->changed = one->changed;
        let_go(templates, one);
    }
    for (size_t i = 0; i < count; i++) {
        if (before[i])
            let_go(templates, before[i]);
    }
    file_groups_done(&templates->groups);
    file_groups_init(&templates->groups, config, templates->items, numbers);
    mem_free(templates->walked);
    templates->walked = mem_array(templates->count, sizeof(*templates->walked));
    templates->walked_count = templates->waiting = 0;
    find_waiting(templates);
    held_release(&templates->held);
    find_interfaces(templates);
    templates->stirred = true;
}

size_t templates_rules(const struct templates *templates, const struct notify_rule **rules)
{
    size_t count = 0;

    for (size_t i = 0; i < templates->count; i++) {
        for (size_t k = 0; k < templates->items[i]->rule_count; k++)
            rules[count++] = &templates->items[i]->rules[k];
    }
    for (size_t i = 0; i < templates->groups.count; i++) {
        if (templates->groups.items[i].rule.label)
            rules[count++] = &templates->groups.items[i].rule;
    }
    return count;
}

/* --------------------------------------------------------------------------------------------------------- the walk */

bool templates_signals(const struct templates *templates)
{
    for (size_t i = 0; i < templates->count; i++)
        if (templates->items[i]->config->notify.signal)
            return true;
    return false;
}

static void users_changed(const struct users *users)
{
    for (size_t i = 0; users && i < users->len; i++)
        one_template_change(users->items[i]);
}

void templates_dep_changed(struct templates *templates, const struct dep *dep)
{
    users_changed(uses_of_dep(&templates->uses, dep));
}

void templates_file_changed(struct templates *templates, const char *path)
{
    users_changed(uses_of_file(&templates->uses, path));
}

/* Another evaluation may tell something else: there is something new, or what was not found may now be written. */
static bool is_stirred(const struct one_template *one)
{
    return one->news || one->outcome.held.len;
}

void templates_dep_failed(struct templates *templates, const struct dep *dep)
{
    const struct users *users = uses_of_dep(&templates->uses, dep);

    for (size_t i = 0; users && i < users->len; i++) {
        struct one_template *one = users->items[i];

        if (is_stirred(one) && !one_template_held(one) && dep_list_has(&one->outcome.missing, dep))
            agenda_plan(&one->turn, clock_now());
    }
}

void templates_look(struct templates *templates)
{
    for (size_t i = 0; i < templates->count; i++) {
        struct one_template *one = templates->items[i];

        if (one->written && !one->shadowed && one->turn.due == CLOCK_NEVER && one_template_touched(one))
            agenda_plan(&one->turn, clock_now());
    }
}

void templates_plugin_ended(struct templates *templates)
{
    for (size_t i = 0; i < templates->count; i++) {
        struct one_template *one = templates->items[i];

        if (one->running && !plugin_pending(&one->outcome.plugins))
            agenda_plan(&one->turn, clock_now());
    }
}

void templates_hurry(struct templates *templates)
{
    for (size_t i = 0; i < templates->count; i++) {
        if (templates->items[i]->last)
            agenda_plan(&templates->items[i]->turn, clock_now());
    }
}

/* ------------------------------------------------------------------------------------------ what an evaluation used */

/* What must wait is not wanted yet. */
static bool is_wanted(const struct outcome *outcome, const struct dep *dep)
{
    return dep_list_has(&outcome->used, dep) && !dep_list_has(&outcome->held, dep);
}

static int claim_deps(struct templates *templates, struct one_template *one, struct err *err)
{
    const struct templates_events *events = &templates->events;
    const struct dep_list *used = &one->outcome.used;

    for (size_t i = 0; i < used->len; i++) {
        if (dep_list_has(&one->claims, used->items[i]) || !is_wanted(&one->outcome, used->items[i]))
            continue;
        if (events->on_dep(events->ctx, used->items[i], err) != 0)
            return err_wrap(err, "%s", one->label);
        dep_list_add(&one->claims, used->items[i]);
    }
    for (size_t i = one->claims.len; i-- > 0;) {
        if (is_wanted(&one->outcome, one->claims.items[i]))
            continue;
        events->on_dep_unused(events->ctx, one->claims.items[i]);
        dep_list_remove(&one->claims, i);
    }
    return 0;
}

static void claim_files(struct templates *templates, const struct one_template *one)
{
    const struct templates_events *events = &templates->events;
    const struct text_list *now = &one->outcome.files, *before = &one->files;

    for (size_t i = 0; i < now->len; i++)
        if (!text_list_has(before, now->items[i]))
            events->on_file(events->ctx, now->items[i]);
    for (size_t i = 0; i < before->len; i++)
        if (!text_list_has(now, before->items[i]))
            events->on_file_unused(events->ctx, before->items[i]);
}

static void report_uses(struct templates *templates, struct one_template *one)
{
    struct err err;
    int failed = claim_deps(templates, one, &err);

    claim_files(templates, one);
    uses_note(&templates->uses, one);
    if (failed) {
        template_failed(templates, one, &err, true);
        return;
    }
    one->running = plugin_pending(&one->outcome.plugins);
    if (one->running)
        templates->events.on_plugins(templates->events.ctx, &one->outcome.plugins);
}

/* ----------------------------------------------------------------------------------------------------------- a walk */

static int by_place(const void *a, const void *b)
{
    const struct one_template *x = *(struct one_template *const *)a, *y = *(struct one_template *const *)b;

    return (x->place > y->place) - (x->place < y->place);
}

/* Those that are due, in their order; what they are due for is done by this walk. */
static size_t take_due(struct templates *templates)
{
    int64_t now = clock_now();
    struct turn *turn;
    size_t count = 0;

    while ((turn = agenda_first(&templates->agenda)) && turn->due <= now) {
        templates->walked[count++] = turn->owner;
        agenda_plan(turn, CLOCK_NEVER);
    }
    if (count > 1)
        qsort(templates->walked, count, sizeof(*templates->walked), by_place);
    return count;
}

bool templates_render(struct templates *templates)
{
    size_t due = take_due(templates);
    bool any = templates->stirred;

    templates->stirred = false;
    templates->walked_count = 0;
    for (size_t i = 0; i < due; i++) {
        if (template_render(templates, templates->walked[i]))
            templates->walked[templates->walked_count++] = templates->walked[i];
    }
    return any || templates->walked_count > 0;
}

void templates_report(struct templates *templates)
{
    for (size_t i = 0; i < templates->walked_count; i++)
        report_uses(templates, templates->walked[i]);
}

static int write_slots(struct held *held, struct one_template *const *ready, size_t count, struct err *err)
{
    size_t len = 0, at = 0;
    _cleanup_free_ struct write_item *items = NULL;
    int failed;

    for (size_t i = 0; i < count; i++)
        len += one_template_count(ready[i]);
    items = mem_array(len, sizeof(*items));
    for (size_t i = 0; i < count; i++)
        at += one_template_items(ready[i], items + at);
    failed = write_batch(held, items, len, err);
    at = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = one_template_count(ready[i]); k > 0; k--)
            ready[i]->changed |= items[at++].changed;
    }
    return failed;
}

static void drop(struct templates *templates, struct one_template *one, const struct err *err)
{
    one->finished = false;
    outcome_wipe(&one->outcome);
    template_failed(templates, one, err, true);
}

static int hand_over(struct templates *templates, const struct one_template *one, struct err *err)
{
    const struct buf *text = &one->outcome.output;

    if (one->config->variable && templates->events.on_value(templates->events.ctx, one->config, text->data, text->len, err) != 0)
        return err_wrap(err, "%s", one->label);
    return 0;
}

static size_t take_rules(struct one_template *one, const struct notify_rule **rules)
{
    if (!one->changed)
        return 0;
    one->changed = false;
    for (size_t i = 0; i < one->rule_count; i++)
        rules[i] = &one->rules[i];
    return one->rule_count;
}

static size_t settle(struct templates *templates, struct one_template *one, const struct notify_rule **rules)
{
    struct err err;

    if (hand_over(templates, one, &err) != 0) {
        drop(templates, one, &err);
        return 0;
    }
    template_written(templates, one);
    return take_rules(one, rules);
}

/* One destination of the set is bad: the others must not wait for it. */
static size_t write_one_by_one(struct templates *templates, struct one_template *const *ready, size_t count,
                               const struct notify_rule **rules)
{
    size_t told = 0;

    for (size_t i = 0; i < count; i++) {
        struct err err;

        if (write_slots(&templates->held, &ready[i], 1, &err) == 0) {
            told += settle(templates, ready[i], rules + told);
            continue;
        }
        drop(templates, ready[i], &err);
    }
    return told;
}

static int open_files(struct templates *templates, struct one_template *one, struct err *err)
{
    if (one_template_open(one, &templates->held, err) != 0)
        return -1;
    return write_to_file_open(&one->outcome.to_write, &templates->held, one->label, err);
}

/* Of those that were walked over, the finished whose files are open; those of a group wait for the others. */
static size_t writable(struct templates *templates, struct one_template **ready)
{
    size_t count = 0;

    for (size_t i = 0; i < templates->walked_count; i++) {
        struct one_template *one = templates->walked[i];
        struct err err;

        if (!one->finished)
            continue;
        if (open_files(templates, one, &err) != 0)
            drop(templates, one, &err);
        else if (one->group)
            one->group->due = true;
        else
            ready[count++] = one;
    }
    return count;
}

/* All at once, or each for itself. */
static size_t write_ready(struct templates *templates, struct one_template *const *ready, size_t count,
                          const struct notify_rule **rules)
{
    size_t told = 0;
    struct err err;

    if (write_slots(&templates->held, ready, count, &err) != 0)
        return write_one_by_one(templates, ready, count, rules);
    for (size_t i = 0; i < count; i++)
        told += settle(templates, ready[i], rules + told);
    return told;
}

/* Those with nothing new are other files now as well. */
static size_t settle_group(struct templates *templates, struct file_group *group, const struct notify_rule **rules)
{
    size_t told = 0;

    group->due = false;
    for (size_t i = 0; i < group->count; i++) {
        struct one_template *one = group->members[i];

        if (one->finished) {
            told += settle(templates, one, rules + told);
            continue;
        }
        one_template_stamp(one);
        told += take_rules(one, rules + told);
    }
    if (group->changed && group->rule.label)
        rules[told++] = &group->rule;
    group->changed = false;
    return told;
}

static size_t write_groups(struct templates *templates, const struct notify_rule **rules)
{
    size_t told = 0;

    for (size_t i = 0; i < templates->groups.count; i++) {
        struct file_group *group = &templates->groups.items[i];
        struct err err;

        if (!file_group_ready(group))
            continue;
        if (file_group_switch(group, &templates->held, &err) == 0)
            told += settle_group(templates, group, rules + told);
        else
            templates->events.on_error(templates->events.ctx, &err, file_group_fail(group, &err), true);
    }
    return told;
}

size_t templates_write(struct templates *templates, const struct notify_rule **rules)
{
    _cleanup_free_ struct one_template **ready = mem_array(templates->walked_count, sizeof(*ready));
    size_t count = writable(templates, ready), told = 0;

    if (count)
        told = write_ready(templates, ready, count, rules);
    told += write_groups(templates, rules + told);
    held_release(&templates->held);
    return told;
}

int64_t templates_due(const struct templates *templates)
{
    const struct turn *first = agenda_first(&templates->agenda);

    return first ? first->due : CLOCK_NEVER;
}

bool templates_complete(const struct templates *templates)
{
    return templates->waiting == templates->count;
}

const char *templates_waiting(const struct templates *templates, const struct err **ret_err)
{
    const struct one_template *one = templates_complete(templates) ? NULL : templates->items[templates->waiting];

    /* One that waits for its group is not what holds it up. */
    for (size_t i = templates->waiting; one && one->finished && i < templates->count; i++)
        one = templates->items[i]->written ? one : templates->items[i];
    if (one && ret_err)
        *ret_err = one->last;
    return one ? one->label : NULL;
}

void templates_health(const struct templates *templates, struct health *health)
{
    for (size_t i = 0; i < templates->count; i++) {
        const struct one_template *one = templates->items[i];

        if (one->last)
            health_note(health, one->failing, one->last->text);
    }
}

void templates_status(const struct templates *templates, struct buf *out)
{
    for (size_t i = 0; i < templates->count; i++)
        one_template_status(templates->items[i], out);
}
