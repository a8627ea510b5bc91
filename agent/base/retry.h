/*
 * retry: when what failed is tried again, how often it has failed in a row, and when it has failed for good. Pure arithmetic: no
 * loop, no timers; the time is told, only the jitter is drawn.
 *
 * A policy is one row, and stands with whoever lives by it. Steps double from `first_ms` to `most_ms`; a wait is drawn out of its
 * step, bent while something runs out, and never shorter than a server asked for. How many failures there were is forgotten at
 * once (retry_reset()), or when success has lasted longer than the step that was reached (retry_success()).
 *
 * Another thing, and not here: the rate of all requests of a process (`vault/budget`), what follows a renewal that failed
 * (`fetch/renewal`, by one of these policies), and waits that follow no failure.
 */
#ifndef BASE_RETRY_H
#define BASE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

/* The n-th step reaches from first * 2^(n-1) to first * 2^n. */
enum retry_spread {
    RETRY_UPPER_HALF, /* the upper half below its end: jitter from zero up would break a promised rate */
    RETRY_FROM_FIRST, /* from the first step's beginning to its end */
    RETRY_TENTH_MORE, /* its beginning, and up to a tenth more */
    RETRY_ANYWHERE,   /* no steps: from first to most, each time */
};

struct retry_policy {
    enum retry_spread spread;
    int64_t first_ms, most_ms;
    /* One that is longer than a sixth of what is left is cut to that, so that five more tries fit in, but to no less than this;
     * 0: it is not cut. What is over already bends nothing. Nor is a wait shorter that ends more than twice this after the first
     * failure, unless `most_ms` is. */
    int64_t nearest_ms;
    /* Steps grow on, but for so long after the first failure no wait is begun longer than `calm_ms`, and later than twice that;
     * 0: as the steps say. */
    int64_t calm_ms, calm_for_ms;
    /* That many tries in all, then it has failed for good; but not before as much time is over as the beginnings of their steps
     * make, and for each try `unanswered_ms` where nobody answers. The last try is made at that very moment. 0: without end. */
    unsigned tries;
    int64_t unanswered_ms;
};

/* 1 s to 5 min. */
extern const struct retry_policy retry_usual;
/* The same with other bounds; those that are not positive stay. */
struct retry_policy retry_between(const struct retry_policy *policy, int64_t first_ms, int64_t most_ms);

enum retry_state {
    RETRY_GOES_ON,
    RETRY_GAVE_UP, /* by the last failure */
    RETRY_IS_OVER, /* by one before */
};

struct retry {
    const struct retry_policy *policy; /* borrowed */
    unsigned steps;                    /* waits in a row */
    unsigned failures;                 /* those that count */
    enum retry_state state;
    int64_t since;      /* of the first failure that counts */
    int64_t success_at; /* CLOCK_NEVER while failing */
};

void retry_init(struct retry *retry, const struct retry_policy *policy);
void retry_reset(struct retry *retry);
void retry_success(struct retry *retry, int64_t now);
/* Neither failed nor succeeded since it began or was reset. */
bool retry_untouched(const struct retry *retry);

/* What bends a wait. */
struct retry_news {
    int64_t left_ms;  /* of what is to be saved; CLOCK_NEVER: there is nothing */
    int64_t asked_ms; /* the server's Retry-After; -1: none */
    bool unanswered;
};
/* After a failure: milliseconds to wait. `news` may be NULL: nothing bends it. */
int64_t retry_next(struct retry *retry, int64_t now, const struct retry_news *news);
/* The wait that was made of such a one by other rules: not shorter than the policy has it by now. */
int64_t retry_unhurried(const struct retry *retry, int64_t now, int64_t wait);
/* After a failure that says nothing yet: a wait, and no more. */
int64_t retry_pause(struct retry *retry);
/* The failure of the last retry_next() was the one for good: true once. */
bool retry_gave_up(const struct retry *retry);

/* Somebody does not want to wait any longer: when to try again, of what was tried last at `tried_at`. However often it is asked,
 * one try a second comes of it. */
static inline int64_t retry_hurried(int64_t tried_at, int64_t now)
{
    return tried_at + 1000 > now ? tried_at + 1000 : now;
}

#endif
