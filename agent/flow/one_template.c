#include "flow/one_template.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/programs.h"
#include "os/owner.h"
#include "os/place.h"

static void set_rules(struct one_template *one, int program)
{
    const struct config_template *config = one->config;

    if (program != PROGRAM_NONE)
        one->rules[one->rule_count++] = (struct notify_rule){
            .label = one->label,
            .program = program,
            .timeout_ms = config->command.timeout_ms,
        };
    if (config->notify.signal)
        one->rules[one->rule_count++] = (struct notify_rule){
            .label = one->label,
            .program = NOTIFY_SIGNAL,
            .signo = config->notify.signal,
            .pid_file = *config->notify.pid_file ? config->notify.pid_file : NULL,
            .process = {.name = *config->notify.process ? config->notify.process : NULL, .uid = config->notify.uid},
        };
}

static void set_last(struct one_template *one, const struct err *err)
{
    if (!one->last) {
        one->failing = clock_now();
        one->last = mem_alloc(sizeof(*err));
    }
    *one->last = *err;
}

int one_template_open(struct one_template *one, struct held *held, struct err *err)
{
    const struct config_template *config = one->config;
    struct write_dest dest = {
        .label = one->label,
        .path = config->destination,
        .create_dirs = config->create_dest_dirs,
        .backup = config->backup,
        .owner = {config->perms ? config->perms : DRAFT_KEEP_MODE, DRAFT_KEEP_UID, DRAFT_KEEP_GID},
    };

    if (one->target || config->variable)
        return 0;
    if (owner_find(config->user, config->group, &dest.owner.uid, &dest.owner.gid, err) != 0)
        return err_wrap(err, "%s", one->label);
    return write_target_new(&dest, held, &one->target, err);
}

struct one_template *one_template_new(const struct config *config, size_t index, bool shadowed, int program,
                                      const struct store *store, struct held *held, struct agenda *agenda)
{
    struct one_template *one = mem_alloc(sizeof(*one));
    struct err err;

    one->config = &config->templates[index];
    snprintf(one->label, sizeof(one->label), "%s", one->config->path);
    render_init(&one->render, config, one->config, store);
    outcome_init(&one->outcome);
    retry_init(&one->retry, &retry_usual);
    one->latest = CLOCK_NEVER;
    one->shadowed = one->written = shadowed;
    one->place = index;
    agenda_join(agenda, &one->turn, one, one->shadowed ? CLOCK_NEVER : clock_now());
    if (one->shadowed)
        return one;
    set_rules(one, program);
    /* Early, so that leftovers are swept and folders made before anything is restricted; a failure is met again at the write. */
    if (one_template_open(one, held, &err) != 0)
        set_last(one, &err);
    return one;
}

void one_template_free(struct one_template *one)
{
    agenda_leave(&one->turn);
    render_done(&one->render);
    outcome_done(&one->outcome);
    dep_list_clear(&one->uses);
    dep_list_clear(&one->claims);
    text_list_clear(&one->files);
    write_target_free(one->target);
    write_to_file_marks_done(&one->marks);
    mem_free(one->last);
    mem_free(one);
}

void one_template_want(const struct config_template *template, struct reach *reach)
{
    owner_reach(reach);
    render_reach(template, reach);
    if (!template->variable)
        place_reach(template->destination, reach);
    if (template->notify.signal)
        reach_file(reach, template->notify.pid_file, REACH_READ);
}

void one_template_move(struct one_template *one, const struct config *config, size_t index, int program)
{
    one->config = &config->templates[index];
    one->place = index;
    snprintf(one->label, sizeof(one->label), "%s", one->config->path);
    render_move(&one->render, config, one->config);
    if (one->target)
        write_target_rename(one->target, one->label);
    one->rule_count = 0;
    if (!one->shadowed)
        set_rules(one, program);
}

int64_t one_template_fail(struct one_template *one, const struct err *err)
{
    int64_t wait = retry_next(&one->retry, clock_now(), NULL);

    set_last(one, err);
    plugin_clear(&one->outcome.plugins);
    agenda_plan(&one->turn, clock_now() + wait);
    return wait;
}

bool one_template_held(const struct one_template *one)
{
    return one->written && one->config->wait_min_ms;
}

void one_template_change(struct one_template *one)
{
    const struct config_template *config = one->config;
    int64_t now = clock_now();

    one->news = true;
    one->news_at = now;
    if (!one_template_held(one)) {
        agenda_plan(&one->turn, now);
        return;
    }
    if (one->latest == CLOCK_NEVER)
        one->latest = now + config->wait_max_ms;
    agenda_plan(&one->turn, now + config->wait_min_ms < one->latest ? now + config->wait_min_ms : one->latest);
}

bool one_template_lacks(struct one_template *one, const struct store *store)
{
    const struct dep_list *missing = &one->outcome.missing;

    while (one->settled < missing->len && store_state(store, missing->items[one->settled]) != STORE_PENDING)
        one->settled++;
    return one->settled < missing->len || plugin_pending(&one->outcome.plugins);
}

void one_template_stamp(struct one_template *one)
{
    file_stamp(one->config->destination, &one->stamp);
}

void one_template_settle(struct one_template *one)
{
    one_template_stamp(one);
    write_to_file_mark(&one->outcome.to_write, &one->marks);
    one->finished = false;
    one->written = true;
    one->written_at = clock_now();
    plugin_clear(&one->outcome.plugins);
    mem_free(steal(one->last));
    retry_success(&one->retry, clock_now());
    outcome_wipe(&one->outcome);
}

bool one_template_touched(const struct one_template *one)
{
    return !file_stamp_kept(one->config->destination, &one->stamp) || write_to_file_touched(&one->marks);
}

size_t one_template_count(const struct one_template *one)
{
    return one->outcome.to_write.len + (one->config->variable == NULL);
}

size_t one_template_items(const struct one_template *one, struct write_item *ret_items)
{
    const struct outcome *outcome = &one->outcome;

    write_to_file_items(&outcome->to_write, ret_items);
    if (!one->config->variable)
        ret_items[outcome->to_write.len] =
            (struct write_item){.target = one->target, .data = outcome->output.data, .len = outcome->output.len};
    return one_template_count(one);
}

static const char *state_of(const struct one_template *one)
{
    if (one->shadowed)
        return "not rendered: a later one has its destination, or nobody wants it";
    if (one->last)
        return "fails";
    if (one->finished)
        return "waits for the others of its atomic_group";
    return one->written ? "rendered" : "waits for its secrets";
}

void one_template_status(const struct one_template *one, struct buf *out)
{
    int64_t now = clock_now();

    buf_addf(out, "%s: %s: destination=%s secrets=%zu", one->label, state_of(one),
             one->config->variable ? one->config->variable : one->config->destination, one->outcome.used.len);
    if (one->written_at)
        buf_addf(out, " rendered=%llds ago", (long long)((now - one->written_at) / 1000));
    if (one->last)
        buf_addf(out, " for=%llds error=%s", (long long)((now - one->failing) / 1000), one->last->text);
    buf_addc(out, '\n');
}
