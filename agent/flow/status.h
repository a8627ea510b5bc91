/*
 * status: how an agent is, in lines for its log: token, templates, secrets, program, counters. Nothing secret is in it.
 *
 * Bounded by LIMIT_PROBLEMS_BYTES; what does not fit is left out. Stages say their own lines.
 */
#ifndef FLOW_STATUS_H
#define FLOW_STATUS_H

#include "base/buf.h"
#include "flow/application.h"
#include "flow/progress.h"
#include "vault/client.h"

struct status {
    const struct progress *progress;
    const struct client *client;
    const struct application *application; /* NULL: nothing is supervised */
};

void status_write(const struct status *status, struct buf *ret);

#endif
