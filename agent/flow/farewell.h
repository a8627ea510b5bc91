/*
 * farewell: how an agent goes: requests of applications are answered first, within FAREWELL_MS; then, where it was asked for, the
 * token is revoked, within as long; then the loop stops.
 *
 * No revocation with exit_after_auth: what an init agent leaves is for others, and would die with the token. Nothing is fetched
 * meanwhile.
 */
#ifndef FLOW_FAREWELL_H
#define FLOW_FAREWELL_H

#include <stdbool.h>

#include "config/config.h"
#include "fetch/fetch.h"
#include "flow/auth.h"
#include "local/local.h"
#include "os/loop.h"

/* A pod has 30 s for its end, of which a program may have taken most. */
#define FAREWELL_MS ((int64_t)5 * 1000)

/* All borrowed. */
struct farewell {
    struct loop *loop;
    struct auth *auth;
    struct fetch *fetch;
    struct local *local; /* NULL: nobody is served */
    const struct config *config;
    bool begun;
};

/* Once; whatever comes after it is nothing. */
void farewell_begin(struct farewell *farewell);

#endif
