/*
 * confine: what the configuration needs of the kernel, as a plan for os/harden; everything else is given up.
 *
 * Reads: CA, client certificate, the login method's files, template sources, what `file` may read. Writes: destinations, sinks, pid file.
 * Connects: the server's port (any, where a proxy or a unix socket stands in between).
 */
#ifndef FLOW_CONFINE_H
#define FLOW_CONFINE_H

#include "base/err.h"
#include "flow/config.h"
#include "flow/pass.h"
#include "os/harden.h"

int confine(const struct config *config, const struct pass *pass, struct harden_report *report, struct err *err) MUST_USE;

#endif
