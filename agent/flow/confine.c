#include "flow/confine.h"

#include "fetch/handover.h"
#include "flow/sink.h"

/* Who can write to the configuration must not name commands by it: we might have been taken over. */
static void seal_commands(const struct confine_stages *stages, const struct reach *reach)
{
    const struct config *config = stages->config;
    bool ours = false;

    for (size_t i = 0; i < config->file_count; i++)
        ours |= reach_writes(reach, config->files[i]);
    if (ours && reach_is_enforced() && stages->launcher)
        launcher_seal(stages->launcher);
}

int confine(const struct confine_stages *stages, struct reach *ret_reach, struct gaps *gaps, struct err *err)
{
    struct reach reach = {0};
    const struct harden_plan plan = {
        .keep_caps = HARDEN_CAP_FILES | (templates_signals(stages->templates) ? HARDEN_CAP_KILL : 0),
        .reach = &reach,
    };

    config_reach(stages->config, &reach);
    client_reach(stages->client, &reach);
    auth_reach(stages->auth, &reach);
    sinks_reach(stages->config->sinks, stages->config->sink_count, &reach);
    templates_reach(stages->templates, &reach);
    front_reach(stages->front, &reach);
    handover_reach(stages->config, &reach);
    *ret_reach = reach;
    if (harden_restrict(&plan, gaps, err) != 0)
        return -1;
    seal_commands(stages, &reach);
    return 0;
}
