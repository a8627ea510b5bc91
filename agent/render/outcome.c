#include "render/outcome.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

void outcome_init(struct outcome *outcome)
{
    *outcome = (struct outcome){.failed = false};
    buf_init_secret(&outcome->output, LIMIT_OUTPUT_BYTES);
}

void outcome_begin(struct outcome *outcome)
{
    if (!outcome->failed) {
        dep_list_clear(&outcome->good);
        outcome->good = outcome->used;
        outcome->used = (struct dep_list){0};
    }
    dep_list_clear(&outcome->used);
    dep_list_clear(&outcome->missing);
    dep_list_clear(&outcome->held);
    outcome->failed = outcome->plugin_held = false;
    text_list_clear(&outcome->files);
    buf_reset(&outcome->output);
    write_to_file_clear(&outcome->to_write);
}

void outcome_done(struct outcome *outcome)
{
    outcome_begin(outcome);
    dep_list_clear(&outcome->good);
    plugin_clear(&outcome->plugins);
    buf_done(&outcome->output);
}

void outcome_failed(struct outcome *outcome)
{
    outcome->failed = true;
    for (size_t i = 0; i < outcome->good.len; i++)
        dep_list_add(&outcome->used, outcome->good.items[i]);
    outcome_wipe(outcome);
}

bool outcome_finished(const struct outcome *outcome)
{
    return !outcome->missing.len && !outcome->held.len && !outcome->plugin_held && !plugin_pending(&outcome->plugins);
}

void outcome_wipe(struct outcome *outcome)
{
    buf_done(&outcome->output);
    write_to_file_clear(&outcome->to_write);
}

int outcome_note_file(struct outcome *outcome, const char *path, struct err *err)
{
    if (outcome->files.len >= LIMIT_TEMPLATE_FILES && !text_list_has(&outcome->files, path))
        return err_set(err, ERR_LIMIT, "more than %d files in one template", (int)LIMIT_TEMPLATE_FILES);
    text_list_add(&outcome->files, path);
    return 0;
}
