/*
 * lease: how long an answer is good, and when to do what about it. Arithmetic only; the owner holds the timer.
 *
 * Times are milliseconds of clock_now(). A lease that cannot be renewed is replaced in its last 10 to 20 percent; a renewable one
 * is renewed at two thirds of each grant until the server shortens the grant (its maximum is near), then replaced once. Renewals
 * that fail are tried again with back-off until that same moment: a failing renewal never makes a new credential early.
 */
#ifndef VAULT_LEASE_H
#define VAULT_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/val.h"

enum { LEASE_ID_MAX = 512 };

struct lease {
    char id[LEASE_ID_MAX]; /* "" for none: tokens, KV */
    bool renewable;
    bool capped;      /* the server shortened a grant: renewing further gains nothing */
    int64_t ttl_ms;   /* of the last grant */
    int64_t full_ms;  /* of the largest grant so far */
    int64_t since;    /* when the last grant was asked for (not answered: the server's clock began no earlier) */
    int64_t grace_ms; /* 10 to 20 percent of full_ms: the time kept for the replacement */
};

/* What the owner does next, and when. */
enum lease_step { LEASE_WAIT_FOR_EVER, LEASE_RENEW, LEASE_REPLACE };

/* How a renewal's answer is to be taken. */
enum lease_grant { LEASE_GRANTED, LEASE_CAPPED, LEASE_ANOMALY };

/* Seconds out of an envelope: an integer from 0 to ten years; everything else counts as 0 with *ret_odd set. Missing and null are
 * 0. */
int64_t lease_seconds(const struct val *v, bool *ret_odd);

void lease_begin(struct lease *lease, const char *id, int64_t seconds, bool renewable, int64_t asked_at);
/* The answer to a renewal asked for at `asked_at`. */
enum lease_grant lease_renewed(struct lease *lease, const char *id, int64_t seconds, bool renewable, int64_t asked_at);
/* The next step and its time in *ret_at. */
enum lease_step lease_next(const struct lease *lease, int64_t *ret_at);
int64_t lease_end(const struct lease *lease); /* CLOCK_NEVER when it does not end */
int64_t lease_replace_at(const struct lease *lease);
/* What is left now, never negative. */
int64_t lease_left(const struct lease *lease, int64_t now);

#endif
