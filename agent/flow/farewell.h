/*
 * farewell: how an agent goes: where it was asked for the token is revoked first, within FAREWELL_MS, then the loop stops.
 *
 * Not with exit_after_auth: what an init agent leaves is for others, and would die with the token. Nothing is fetched meanwhile.
 */
#ifndef FLOW_FAREWELL_H
#define FLOW_FAREWELL_H

#include <stdbool.h>

#include "config/config.h"
#include "fetch/fetch.h"
#include "flow/auth.h"
#include "os/loop.h"

/* A pod has 30 s for its end, of which a program may have taken most. */
#define FAREWELL_MS ((int64_t)5 * 1000)

/* All borrowed. */
struct farewell {
    struct loop *loop;
    struct auth *auth;
    struct fetch *fetch;
    bool begun;
};

/* Once; whatever comes after it is nothing. */
void farewell_begin(struct farewell *farewell, const struct config *config);

#endif
