/*
 * budget: a token bucket under every request of the process, so that no mistake above it can become a storm.
 *
 * Pure arithmetic over clock_now(). First reads and renewals of what is about to end are exempt: they neither wait nor use up.
 */
#ifndef VAULT_BUDGET_H
#define VAULT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget {
    int64_t rate;           /* thousandths of a request per second */
    unsigned burst;         /* how many may go at once after a pause */
    bool strict;            /* nothing is exempt: somebody said so */
    int64_t credit;         /* millionths of a request */
    int64_t at;             /* when credit was reckoned */
    unsigned long requests; /* all that went, exempt ones too: for logs and tests */
};

/* The defaults are LIMIT_REQUEST_RATE and LIMIT_REQUEST_BURST. */
void budget_init(struct budget *budget, unsigned rate, unsigned burst);
/* What somebody set: `rate` thousandths of a request per second, for all requests. Both are positive. */
void budget_init_strict(struct budget *budget, int64_t rate, unsigned burst);
/* 0 and one request is taken, or the milliseconds after which to ask again. */
int64_t budget_take(struct budget *budget, bool exempt);

#endif
