/*
 * confine: gives up everything that no stage has declared: the stages' `…_reach` say what they will open, os/harden takes the rest away.
 */
#ifndef FLOW_CONFINE_H
#define FLOW_CONFINE_H

#include "base/err.h"
#include "flow/auth.h"
#include "flow/config.h"
#include "flow/pass.h"
#include "flow/sink.h"
#include "os/harden.h"
#include "vault/client.h"

/* Whoever opens something later. */
struct confine_stages {
    const struct config *config;
    const struct client *client;
    const struct auth *auth;
    const struct sinks *sinks;
    const struct pass *pass;
};

int confine(const struct confine_stages *stages, struct harden_report *report, struct err *err) MUST_USE;

#endif
