#include "flow/confine.h"

#include "flow/handover.h"

int confine(const struct confine_stages *stages, struct harden_report *report, struct err *err)
{
    _cleanup_reach_ struct reach reach = {0};
    const struct harden_plan plan = {
        .keep_caps = HARDEN_CAP_FILES | (pass_signals(stages->pass) ? HARDEN_CAP_KILL : 0),
        .reach = &reach,
    };

    config_reach(stages->config, &reach);
    client_reach(stages->client, &reach);
    auth_reach(stages->auth, &reach);
    sinks_reach(stages->sinks, &reach);
    pass_reach(stages->pass, &reach);
    handover_reach(stages->config, &reach);
    return harden_restrict(&plan, report, err);
}
