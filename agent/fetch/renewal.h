/*
 * renewal: what a failed renewal means: the rules that tokens and leases share. Pure arithmetic.
 *
 * Refused for good: not renewed again, replaced once when the lease is nearly over. Anything else: again with back-off until
 * then, and after that replaced at once if the server answers; while it does not answer, renewing goes on to the end, so an
 * outage shorter than the lease costs nothing. A lease that the server does not know is replaced after a jitter, so that a fleet
 * does not come all at once.
 */
#ifndef FETCH_RENEWAL_H
#define FETCH_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/retry.h"
#include "vault/lease.h"
#include "vault/reply.h"

enum renewal_verdict {
    RENEWAL_AGAIN,   /* renew at *ret_at */
    RENEWAL_REFUSED, /* never again; the lease is marked, replace at *ret_at */
    RENEWAL_LOST,    /* the lease is gone; replace at *ret_at */
    RENEWAL_OVER,    /* replace now */
};

enum renewal_verdict renewal_failed(struct lease *lease, struct retry *retry, const struct reply *reply, const struct err *err,
                                    int64_t now, int64_t *ret_at);
/* How long to wait after a failure while `lease` lasts (NULL: nothing to save). Near the end long waits become shorter, but never
 * shorter than half a minute, nor than a sixtieth of the lease: one a minute for an hour. */
int64_t renewal_wait(struct retry *retry, const struct lease *lease, int64_t now, int64_t asked_ms);
/* At a timer's end: renew once more (true) or replace. */
bool renewal_possible(const struct lease *lease, int64_t now);

#endif
