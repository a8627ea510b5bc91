/*
 * agent_config: the agent's configuration, as upstream generates it, byte for byte.
 *
 * Keys stand in upstream's order, strings are escaped as Go's encoder does. What only Ampule understands (stanza `ampule`,
 * notify, owners) is written only where an ampule.dev annotation asks for it.
 */
#ifndef INJECT_AGENT_CONFIG_H
#define INJECT_AGENT_CONFIG_H

#include "inject/plan.h"

enum agent_config_role { CONFIG_INIT, CONFIG_SIDECAR };

/* Appends the JSON for one container of one identity. */
int agent_config_write(const struct plan *plan, const struct plan_identity *identity, enum agent_config_role role,
                       struct buf *out, struct arena *arena, struct err *err) MUST_USE;

/* Where the hand-over of a pod lies in both containers. */
#define CONFIG_HANDOVER_PATH "/vault/handover"

#endif
