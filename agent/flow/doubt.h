/*
 * doubt: somebody's request was refused: is the token still good? When that is worth a question, what the answer means, and how
 * long the next login waits if it is not. Pure arithmetic; flow/auth asks.
 */
#ifndef FLOW_DOUBT_H
#define FLOW_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/retry.h"
#include "vault/reply.h"

struct doubt {
    struct retry retry; /* between logins that doubt brought about */
    int64_t asked_at;   /* lookup-self, last; 0: never */
    bool verify;        /* ask about the next token at once: was the last one bad, or is lookup-self forbidden? */
    bool forbidden;     /* lookup-self says nothing about this role's tokens */
    bool unanswered;    /* the last question */
    bool worked;        /* what is refused now was not refused before, with the same token */
};

enum doubt_verdict {
    DOUBT_GOOD,    /* as far as anybody can tell */
    DOUBT_BAD,     /* the next token is asked about at once, unless the server was plain about this one */
    DOUBT_UNKNOWN, /* the question was not answered */
};

void doubt_init(struct doubt *doubt);
/* Another token is in use. */
void doubt_renew(struct doubt *doubt);
/* Whether to ask, now that something was refused: a token found good is not doubted again soon, nor is asked again soon who did
 * not answer. */
bool doubt_is_due(const struct doubt *doubt, int64_t now);
/* lookup-self was answered with 2xx; whether it says something of a token: what does not is no answer. */
bool doubt_answered(struct doubt *doubt, const struct reply *reply);
/* lookup-self was refused. */
enum doubt_verdict doubt_refused(struct doubt *doubt, const struct reply *reply);
/* How long before the next login; `age` of the token that was bad, and whether anything was ever `served` with it. */
int64_t doubt_wait(struct doubt *doubt, int64_t age, bool served, int64_t now);

#endif
