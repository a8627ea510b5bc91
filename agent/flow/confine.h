/*
 * confine: gives up everything that no stage has declared: the stages' `…_reach` say what they will open, os/harden takes the
 * rest away. An agent that can write to its own configuration loses the right to have new commands with it.
 */
#ifndef FLOW_CONFINE_H
#define FLOW_CONFINE_H

#include "base/err.h"
#include "config/config.h"
#include "flow/auth.h"
#include "flow/front.h"
#include "flow/templates.h"
#include "os/harden.h"
#include "os/launcher.h"
#include "vault/client.h"

/* Whoever opens something later. */
struct confine_stages {
    const struct config *config;
    const struct client *client;
    const struct auth *auth;
    const struct templates *templates;
    const struct front *front;
    struct launcher *launcher; /* NULL: none */
};

/* What they declared into `ret_reach`, the caller's, in any case. */
int confine(const struct confine_stages *stages, struct reach *ret_reach, struct gaps *gaps, struct err *err) MUST_USE;

#endif
