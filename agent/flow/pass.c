#include "flow/pass.h"

#include <stdio.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/render.h"
#include "flow/shadow.h"
#include "flow/write.h"
#include "os/file.h"
#include "os/owner.h"
#include "os/place.h"

/* What is still on its way may keep a template waiting for so long after the last news: it may not need it any more. */
#define QUIET_MS ((int64_t)1000)

/* One template and everything that belongs to it. */
struct slot {
    char label[48]; /* "template[2] (…end/of/destination)" */
    const struct config_template *template;
    struct render render;
    struct write_target *target; /* NULL until the destination could be opened */
    struct notify_rule rules[2]; /* command, signal */
    size_t rule_count;
    struct backoff backoff;
    struct err last; /* why it is not on disk; ERR_NONE: waits for data */
    int64_t failing; /* since when `last` is an error */
    int64_t due;     /* CLOCK_NEVER: nothing to do */
    int64_t latest;  /* `wait`: not later than this */
    int64_t news_at; /* when something came that the last evaluation did not know */
    bool news;
    size_t settled;  /* of what was missing, from the first on: answered meanwhile, or tried in vain */
    bool shadowed;   /* a later template has the same destination, and is the one that is rendered */
    bool finished;   /* bytes wait to be written */
    bool written;    /* at least once */
    bool changed;    /* a file was replaced, and nobody told yet */
    struct file_stamp stamp; /* of the destination, as it was left */
    struct aside_marks marks;
    bool running;    /* waits for a plugin */
};

struct pass {
    struct pass_events events;
    struct slot *slots;
    size_t count;
    struct interface *interfaces; /* NULL unless a template asks for addresses */
};

/* --------------------------------------------------------------------------------------------------------------- slots */

static int open_target(struct slot *slot, struct err *err)
{
    const struct config_template *template = slot->template;
    struct write_dest dest = {
        .label = slot->label,
        .path = template->destination,
        .create_dirs = template->create_dest_dirs,
        .backup = template->backup,
        .owner = {template->perms ? template->perms : DRAFT_KEEP_MODE, DRAFT_KEEP_UID, DRAFT_KEEP_GID},
    };

    if (slot->target)
        return 0;
    if (owner_find(template->user, template->group, &dest.owner.uid, &dest.owner.gid, err) != 0)
        return err_wrap(err, "%s", slot->label);
    return write_target_new(&dest, &slot->target, err);
}

static void set_rules(struct slot *slot, int program)
{
    const struct config_template *template = slot->template;

    if (program != PROGRAM_NONE)
        slot->rules[slot->rule_count++] = (struct notify_rule){
            .label = slot->label,
            .program = program,
            .timeout_ms = template->command.timeout_ms,
        };
    if (template->notify.signal)
        slot->rules[slot->rule_count++] = (struct notify_rule){
            .label = slot->label,
            .program = NOTIFY_SIGNAL,
            .signo = template->notify.signal,
            .pid_file = *template->notify.pid_file ? template->notify.pid_file : NULL,
            .process = {.name = *template->notify.process ? template->notify.process : NULL, .uid = template->notify.uid},
        };
}

static void set_last(struct slot *slot, const struct err *err)
{
    if (!slot->last.code)
        slot->failing = clock_now();
    slot->last = *err;
}

static void slot_init(struct slot *slot, size_t index, const struct config *config, bool shadowed, int program, const struct store *store)
{
    struct err err;

    slot->template = &config->templates[index];
    snprintf(slot->label, sizeof(slot->label), "template[%zu]", index);
    render_init(&slot->render, config, slot->template, store);
    backoff_init(&slot->backoff, 0, 0);
    slot->latest = CLOCK_NEVER;
    slot->shadowed = slot->written = shadowed;
    slot->due = slot->shadowed ? CLOCK_NEVER : clock_now();
    if (slot->shadowed)
        return;
    set_rules(slot, program);
    /* Early, so that leftovers are swept and the root is held before anything is restricted; a failure is met again at the write. */
    if (open_target(slot, &err) != 0)
        set_last(slot, &err);
}

static void slot_failed(struct pass *pass, struct slot *slot, const struct err *err, bool fatal)
{
    int64_t wait = backoff_next(&slot->backoff, clock_now(), CLOCK_NEVER, -1);

    set_last(slot, err);
    plugin_clear(&slot->render.fn.plugins);
    slot->due = clock_now() + wait;
    pass->events.on_error(pass->events.ctx, err, wait, fatal);
}

/* `wait`: changes are held until they have been quiet for `min`, at most for `max`; the first render is not held. */
static bool is_held(const struct slot *slot)
{
    return slot->written && slot->template->wait_min_ms;
}

static void slot_changed(struct slot *slot)
{
    const struct config_template *template = slot->template;
    int64_t now = clock_now();

    slot->news = true;
    slot->news_at = now;
    if (!is_held(slot)) {
        slot->due = now;
        return;
    }
    if (slot->latest == CLOCK_NEVER)
        slot->latest = now + template->wait_max_ms;
    slot->due = now + template->wait_min_ms < slot->latest ? now + template->wait_min_ms : slot->latest;
}

/* Something that it lacked last time is still on its way: evaluating again would mostly tell the same. */
static bool still_lacks(struct slot *slot)
{
    const struct fn_vault *fn = &slot->render.fn;

    while (slot->settled < fn->missing.len && store_state(fn->store, fn->missing.items[slot->settled]) != STORE_PENDING)
        slot->settled++;
    return slot->settled < fn->missing.len || plugin_pending(&fn->plugins);
}

static void slot_run(struct pass *pass, struct slot *slot)
{
    struct err err;

    slot->due = CLOCK_NEVER;
    slot->latest = CLOCK_NEVER;
    slot->finished = slot->news = false;
    slot->settled = 0;
    if (render_run(&slot->render, &err) != 0) {
        err_wrap(&err, "%s", slot->label);
        slot_failed(pass, slot, &err, slot->template->error_fatal);
        return;
    }
    slot->finished = render_finished(&slot->render);
    log_debug("agent.template.server", "evaluated: %s secrets=%zu missing=%zu held=%zu", slot->label, slot->render.fn.used.len,
              slot->render.fn.missing.len, slot->render.fn.held.len);
    if (!slot->finished)
        render_forget(&slot->render);
}

static bool slot_render(struct pass *pass, struct slot *slot)
{
    int64_t quiet_at = slot->news_at + QUIET_MS;

    if (slot->news && quiet_at > clock_now() && still_lacks(slot)) {
        slot->due = quiet_at;
        return false;
    }
    slot_run(pass, slot);
    return true;
}

static void slot_written(struct pass *pass, struct slot *slot)
{
    file_stamp(slot->template->destination, &slot->stamp);
    aside_mark(&slot->render.fn.asides, &slot->marks);
    slot->finished = false;
    slot->written = true;
    plugin_clear(&slot->render.fn.plugins);
    err_clear(&slot->last);
    backoff_success(&slot->backoff, clock_now());
    render_forget(&slot->render);
    if (slot->changed)
        pass->events.on_written(pass->events.ctx, slot->label, slot->template);
}

/* ---------------------------------------------------------------------------------------------------------------- pass */

/* Now, while the kernel may still be asked. */
static void find_interfaces(struct pass *pass)
{
    struct err err;
    int count = 0;

    for (size_t i = 0; i < pass->count; i++) {
        struct fn_vault *fn = &pass->slots[i].render.fn;

        if (!render_mentions(pass->slots[i].template, "sockaddr"))
            continue;
        if (!pass->interfaces) {
            pass->interfaces = mem_array(LIMIT_INTERFACES, sizeof(*pass->interfaces));
            count = interfaces_read(pass->interfaces, LIMIT_INTERFACES, &err);
        }
        fn->interfaces = pass->interfaces;
        fn->interface_count = count > 0 ? (size_t)count : 0;
    }
}

struct pass *pass_new(const struct config *config, const struct programs *programs, const struct store *store,
                      const struct pass_events *events)
{
    struct pass *pass = mem_alloc(sizeof(*pass));
    _cleanup_free_ size_t *rendered = mem_array(config->template_count, sizeof(*rendered));

    shadow_find(config, rendered);
    pass->events = *events;
    pass->count = config->template_count;
    pass->slots = mem_array(pass->count, sizeof(*pass->slots));
    for (size_t i = 0; i < pass->count; i++)
        slot_init(&pass->slots[i], i, config, rendered[i] != i, programs->numbers[i], store);
    find_interfaces(pass);
    return pass;
}

void pass_free(struct pass *pass)
{
    if (!pass)
        return;
    for (size_t i = 0; i < pass->count; i++) {
        render_done(&pass->slots[i].render);
        write_target_free(pass->slots[i].target);
        aside_marks_done(&pass->slots[i].marks);
    }
    mem_free(pass->slots);
    mem_free(pass->interfaces);
    mem_free(pass);
}

void pass_reach(const struct pass *pass, struct reach *reach)
{
    if (pass->count)
        owner_reach(reach);
    for (size_t i = 0; i < pass->count; i++) {
        const struct slot *slot = &pass->slots[i];

        render_reach(&slot->render, reach);
        place_reach(slot->template->destination, reach);
        for (size_t k = 0; k < slot->rule_count; k++)
            notify_reach(&slot->rules[k], reach);
    }
}

bool pass_signals(const struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++)
        if (pass->slots[i].template->notify.signal)
            return true;
    return false;
}

void pass_dep_changed(struct pass *pass, const struct dep *dep)
{
    for (size_t i = 0; i < pass->count; i++) {
        if (dep_list_has(render_deps(&pass->slots[i].render), dep))
            slot_changed(&pass->slots[i]);
    }
}

void pass_file_changed(struct pass *pass, const char *path)
{
    for (size_t i = 0; i < pass->count; i++) {
        const struct fn_vault *fn = &pass->slots[i].render.fn;

        for (size_t k = 0; k < fn->file_count; k++) {
            if (strcmp(fn->files[k], path) == 0)
                slot_changed(&pass->slots[i]);
        }
    }
}

/* Another evaluation may tell something else: there is something new, or what was not found may now be written. */
static bool is_stirred(const struct slot *slot)
{
    return slot->news || slot->render.fn.held.len;
}

void pass_dep_failed(struct pass *pass, const struct dep *dep)
{
    for (size_t i = 0; i < pass->count; i++) {
        struct slot *slot = &pass->slots[i];

        if (is_stirred(slot) && !is_held(slot) && dep_list_has(&slot->render.fn.missing, dep))
            slot->due = clock_now();
    }
}

static bool is_touched(const struct slot *slot)
{
    struct file_stamp now;

    file_stamp(slot->template->destination, &now);
    return !file_stamp_same(&now, &slot->stamp) || aside_touched(&slot->marks);
}

void pass_look(struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++) {
        struct slot *slot = &pass->slots[i];

        if (slot->written && !slot->shadowed && slot->due == CLOCK_NEVER && is_touched(slot))
            slot->due = clock_now();
    }
}

void pass_plugin_ended(struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++) {
        struct slot *slot = &pass->slots[i];

        if (slot->running && !plugin_pending(&slot->render.fn.plugins))
            slot->due = clock_now();
    }
}

void pass_hurry(struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++) {
        if (pass->slots[i].last.code)
            pass->slots[i].due = clock_now();
    }
}

static void report_uses(struct pass *pass, struct slot *slot)
{
    const struct fn_vault *fn = &slot->render.fn;
    struct err err;

    for (size_t i = 0; i < fn->used.len; i++) {
        if (dep_list_has(&fn->held, fn->used.items[i]))
            continue;
        if (pass->events.on_dep(pass->events.ctx, fn->used.items[i], &err) != 0) {
            err_wrap(&err, "%s", slot->label);
            slot_failed(pass, slot, &err, true);
            return;
        }
    }
    for (size_t i = 0; i < fn->file_count; i++)
        pass->events.on_file(pass->events.ctx, fn->files[i]);
    slot->running = plugin_pending(&fn->plugins);
    if (slot->running)
        pass->events.on_plugins(pass->events.ctx, &slot->render.fn.plugins);
}

bool pass_render(struct pass *pass)
{
    int64_t now = clock_now();
    bool any = false;

    for (size_t i = 0; i < pass->count; i++) {
        if (pass->slots[i].due <= now)
            any |= slot_render(pass, &pass->slots[i]);
    }
    return any;
}

void pass_report(struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++)
        report_uses(pass, &pass->slots[i]);
}

/* The files beside the destination, then the destination itself. */
static size_t slot_items(const struct slot *slot, struct write_item *ret_items)
{
    const struct render *render = &slot->render;

    aside_items(&render->fn.asides, ret_items);
    ret_items[render->fn.asides.len] = (struct write_item){slot->target, render->output.data, render->output.len, false};
    return render->fn.asides.len + 1;
}

static int write_slots(struct slot *const *slots, size_t count, struct err *err)
{
    size_t len = count, at = 0;
    _cleanup_free_ struct write_item *items = NULL;
    int failed;

    for (size_t i = 0; i < count; i++)
        len += slots[i]->render.fn.asides.len;
    items = mem_array(len, sizeof(*items));
    for (size_t i = 0; i < count; i++)
        at += slot_items(slots[i], items + at);
    failed = write_batch(items, len, err);
    at = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = slots[i]->render.fn.asides.len + 1; k > 0; k--)
            slots[i]->changed |= items[at++].changed;
    }
    return failed;
}

static size_t settle(struct pass *pass, struct slot *slot, const struct notify_rule **rules)
{
    slot_written(pass, slot);
    if (!slot->changed)
        return 0;
    slot->changed = false;
    for (size_t i = 0; i < slot->rule_count; i++)
        rules[i] = &slot->rules[i];
    return slot->rule_count;
}

/* One destination of the set is bad: the others must not wait for it. */
static size_t write_one_by_one(struct pass *pass, struct slot *const *slots, size_t count, const struct notify_rule **rules)
{
    size_t told = 0;

    for (size_t i = 0; i < count; i++) {
        struct err err;

        if (write_slots(&slots[i], 1, &err) == 0) {
            told += settle(pass, slots[i], rules + told);
            continue;
        }
        slots[i]->finished = false;
        render_forget(&slots[i]->render);
        slot_failed(pass, slots[i], &err, true);
    }
    return told;
}

/* The finished slots whose files are open. */
static size_t writable(struct pass *pass, struct slot **slots)
{
    size_t count = 0;

    for (size_t i = 0; i < pass->count; i++) {
        struct slot *slot = &pass->slots[i];
        struct err err;

        if (!slot->finished)
            continue;
        if (open_target(slot, &err) == 0 && aside_open(&slot->render.fn.asides, slot->label, &err) == 0) {
            slots[count++] = slot;
            continue;
        }
        slot->finished = false;
        render_forget(&slot->render);
        slot_failed(pass, slot, &err, true);
    }
    return count;
}

size_t pass_write(struct pass *pass, const struct notify_rule **rules)
{
    _cleanup_free_ struct slot **slots = mem_array(pass->count, sizeof(*slots));
    size_t count = writable(pass, slots), told = 0;
    struct err err;

    if (count == 0)
        return 0;
    if (write_slots(slots, count, &err) != 0)
        return write_one_by_one(pass, slots, count, rules);
    for (size_t i = 0; i < count; i++)
        told += settle(pass, slots[i], rules + told);
    return told;
}

int64_t pass_due(const struct pass *pass)
{
    int64_t due = CLOCK_NEVER;

    for (size_t i = 0; i < pass->count; i++) {
        if (pass->slots[i].due < due)
            due = pass->slots[i].due;
    }
    return due;
}

bool pass_complete(const struct pass *pass)
{
    return pass_waiting(pass, NULL) == NULL;
}

const char *pass_waiting(const struct pass *pass, const struct err **ret_err)
{
    for (size_t i = 0; i < pass->count; i++) {
        if (pass->slots[i].written)
            continue;
        if (ret_err)
            *ret_err = &pass->slots[i].last;
        return pass->slots[i].label;
    }
    return NULL;
}

void pass_health(const struct pass *pass, struct health *health)
{
    for (size_t i = 0; i < pass->count; i++) {
        const struct slot *slot = &pass->slots[i];

        if (slot->last.code)
            health_note(health, slot->failing, slot->last.text);
    }
}
