/*
 * fetch_trouble: what is wrong with one dep, since when, and when it is asked for again. Pure: who tries says how it went.
 *
 * Owns its text. The policy (`fetch/ladder`) is borrowed.
 */
#ifndef FETCH_FETCH_TROUBLE_H
#define FETCH_FETCH_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/retry.h"

struct fetch_trouble {
    char *text; /* the last failure, while there is no answer after it; NULL: none */
    int64_t since;
    enum err_code code;
    int status;         /* of the answer that it was; 0 without one */
    struct retry retry; /* since the last answer */
    unsigned tableless; /* tries for which the mount table was refused */
    bool hurried;       /* since the last answer, because the server answered others */
};

/* One try that failed. */
struct fetch_try {
    int status;             /* as above */
    int64_t token_age_ms;   /* of the newest token */
    bool token_replaced;    /* there is a newer one than it was made with */
    bool token_spent;       /* more requests went out with it than it is good for */
    int64_t answer_left_ms; /* of the answer that is held; CLOCK_NEVER: it does not end */
    int64_t retry_after_ms; /* the server asks for patience; -1: it does not */
};

/* Refused because the token is newer than the server's knowledge of it, older than ours, or used up: none of it counts. */
bool fetch_try_unsettled(const struct fetch_try *try);

void fetch_trouble_init(struct fetch_trouble *trouble, const struct retry_policy *policy);
void fetch_trouble_note(struct fetch_trouble *trouble, const struct err *err, int status, int64_t now);
/* An answer came. */
void fetch_trouble_over(struct fetch_trouble *trouble);
/* How long to wait: after a try that does not count, and after one that does. */
int64_t fetch_trouble_pause(struct fetch_trouble *trouble);
int64_t fetch_trouble_wait(struct fetch_trouble *trouble, const struct fetch_try *try, int64_t now);
/* The mount table is refused: whether this try goes no further. To whom the table stays refused the secret itself rarely opens:
 * mostly the table alone is asked again, so that a try is one request. */
bool fetch_trouble_spares(struct fetch_trouble *trouble);
/* The server answers: whether it failed for want of one, and was not tried for that reason before. */
bool fetch_trouble_wants_server(struct fetch_trouble *trouble);

#endif
