/*
 * progress: how far the agent is: everything done, or what it still waits for, and which errors last.
 *
 * Init mode ends by it, and a probe is told it. The sidecar says what happened; the rest it asks the stages, which are borrowed
 * and do not know it.
 */
#ifndef FLOW_PROGRESS_H
#define FLOW_PROGRESS_H

#include <stdbool.h>

#include "base/err.h"
#include "fetch/fetch.h"
#include "fetch/health.h"
#include "flow/auth.h"
#include "flow/notify.h"
#include "flow/templates.h"

/* Zeroed at first; the stages are named before anything is asked. */
struct progress {
    const struct auth *auth;
    const struct fetch *fetch;
    const struct templates *templates;
    const struct notify *notify;
    const struct trouble *trust; /* the TLS files */
    bool sunk;                   /* every sink holds the newest token */
    bool complete;               /* everything was done once */
    struct trouble login, telling;
    struct err last_fetch; /* the last failure, while no answer came after it */
};

/* What happened. */
void progress_token(struct progress *progress); /* a new one, that no sink holds yet */
void progress_login_failed(struct progress *progress, const struct err *err);
void progress_fetched(struct progress *progress);
void progress_fetch_failed(struct progress *progress, const struct err *err);
void progress_notified(struct progress *progress, const struct notify_rule *rule, const struct notify_result *result);

/* Now every file is on disk, every sink written, every application told; that it was so once is noted. */
bool progress_done(struct progress *progress);
/* What it waits for, in the words of the stage that is behind. */
void progress_behind(const struct progress *progress, struct err *ret);
void progress_health(const struct progress *progress, struct health *ret);

#endif
