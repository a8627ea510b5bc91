#include "flow/confine.h"

#include "fetch/handover.h"
#include "flow/sink.h"

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
    handover_reach(stages->config, &reach);
    *ret_reach = reach;
    return harden_restrict(&plan, gaps, err);
}
