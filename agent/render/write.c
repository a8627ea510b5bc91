#include "render/write.h"

#include "base/limits.h"
#include "os/generation.h"

struct write_target {
    char *label;
    struct place place;
    struct draft_owner owner;
    bool backup;
};

void write_target_rename(struct write_target *target, const char *label)
{
    mem_free(target->label);
    target->label = mem_strdup(label);
}

void write_target_free(struct write_target *target)
{
    if (!target)
        return;
    place_close(&target->place);
    mem_free(target->label);
    mem_free(target);
}

static void target_cleanup(struct write_target **target)
{
    write_target_free(*target);
}

int write_target_new(const struct write_dest *dest, struct held *held, struct write_target **ret, struct err *err)
{
    _cleanup_(target_cleanup) struct write_target *target = mem_alloc(sizeof(*target));
    int folder;

    target->label = mem_strdup(dest->label);
    target->owner = dest->owner;
    target->backup = dest->backup;
    if (place_name(&target->place, dest->path, dest->create_dirs, err) != 0 ||
        held_folder(held, &target->place, &folder, err) != 0)
        return err_wrap(err, "%s", dest->label);
    *ret = steal(target);
    return 0;
}

int write_target_read(struct write_target *target, size_t max, struct buf *ret, struct err *err)
{
    return place_read(&target->place, max, ret, err) != 0 ? err_wrap(err, "%s", target->label) : 0;
}

static void drop_all(struct draft *drafts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        draft_drop(&drafts[i]);
    mem_free(drafts);
}

static int write_all(struct held *held, struct write_item *items, struct draft *drafts, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct write_target *target = items[i].target;

        if (draft_write_held(&drafts[i], held, &target->place, &target->owner, items[i].data, items[i].len, err) != 0 ||
            (target->backup && draft_backup(&drafts[i], err) != 0))
            return err_wrap(err, "%s", target->label);
    }
    return 0;
}

/* Each rename was looked at before; one that is refused all the same is tried again by the caller with those that are left. */
static int publish_all(struct write_item *items, struct draft *drafts, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!draft_pending(&drafts[i]))
            continue;
        if (draft_publish(&drafts[i], err) != 0) {
            items[i].changed = !draft_pending(&drafts[i]);
            return err_wrap(err, "%s", items[i].target->label);
        }
        items[i].changed = true;
    }
    return 0;
}

int write_batch(struct held *held, struct write_item *items, size_t count, struct err *err)
{
    struct draft *drafts;
    int failed;

    for (size_t i = 0; i < count; i++)
        items[i].changed = false;
    if (count > LIMIT_TEMPLATES)
        return err_set(err, ERR_LIMIT, "more than %d files in one batch", LIMIT_TEMPLATES);
    drafts = mem_array(count, sizeof(*drafts));
    failed = write_all(held, items, drafts, count, err) < 0 || publish_all(items, drafts, count, err) != 0;
    drop_all(drafts, count);
    return failed ? -1 : 0;
}

/* ----------------------------------------------------------------------------------------------------------- groups */

static int switch_group(struct held *held, struct generation_file *files, size_t count, struct write_item *beside,
                        size_t beside_count, struct err *err)
{
    _cleanup_generation_ struct generation generation = {0};

    if (generation_write(&generation, held, files, count, err) != 0 || write_batch(held, beside, beside_count, err) != 0)
        return -1;
    return generation_switch(&generation, err);
}

int write_group(struct held *held, struct write_item *set, size_t count, struct write_item *beside, size_t beside_count,
                struct err *err)
{
    _cleanup_free_ struct generation_file *files = mem_array(count, sizeof(*files));
    int failed;

    for (size_t i = 0; i < count; i++) {
        struct write_target *target = set[i].target;

        files[i] = (struct generation_file){
            .place = &target->place, .owner = &target->owner, .data = set[i].data, .len = set[i].len, .kept = set[i].kept};
    }
    failed = switch_group(held, files, count, beside, beside_count, err);
    for (size_t i = 0; i < count; i++)
        set[i].changed = files[i].changed;
    return failed;
}
