#include "flow/doubt.h"

#define ASKED_PAUSE_MS   ((int64_t)30 * 1000) /* a token found good is not doubted again before */
#define USELESS_PAUSE_MS ((int64_t)20 * 1000)
#define YOUNG_MS         ((int64_t)60 * 1000)

void doubt_init(struct doubt *doubt)
{
    *doubt = (struct doubt){0};
    retry_init(&doubt->retry, &retry_usual);
}

void doubt_renew(struct doubt *doubt)
{
    doubt->worked = false;
}

bool doubt_is_due(const struct doubt *doubt, int64_t now)
{
    return (doubt->worked && !doubt->unanswered) || !doubt->asked_at || now - doubt->asked_at >= ASKED_PAUSE_MS;
}

bool doubt_answered(struct doubt *doubt, const struct reply *reply)
{
    doubt->unanswered = val_is_nil(val_dig(&reply->body, "data", "ttl", NULL));
    if (!doubt->unanswered)
        doubt->forbidden = doubt->worked = doubt->verify = false;
    return !doubt->unanswered;
}

/*
 * "Permission denied" is all that some servers say of a token that was revoked. Of a token as new as this one it means that the
 * policy forbids the question itself; where that is known, what worked before with the same token and is refused now tells as
 * much.
 */
static bool says_nothing(struct doubt *doubt, const struct reply *reply)
{
    if (reply->token_invalid)
        return false;
    if (doubt->verify)
        doubt->forbidden = true;
    return doubt->verify || (doubt->forbidden && !doubt->worked);
}

enum doubt_verdict doubt_refused(struct doubt *doubt, const struct reply *reply)
{
    enum doubt_verdict verdict = reply->status != 403 ? DOUBT_UNKNOWN : says_nothing(doubt, reply) ? DOUBT_GOOD : DOUBT_BAD;

    doubt->unanswered = verdict == DOUBT_UNKNOWN;
    doubt->verify = verdict == DOUBT_BAD && !reply->token_invalid;
    return verdict;
}

/* Nothing, unless doubt follows doubt; then the cause is elsewhere. Where nothing ever worked, another token will hardly do
 * better. */
int64_t doubt_wait(struct doubt *doubt, int64_t age, bool served, int64_t now)
{
    bool useless = age < YOUNG_MS && !served;
    int64_t wait = 0;

    if (useless || !retry_untouched(&doubt->retry))
        wait = retry_next(&doubt->retry, now, NULL);
    if (useless)
        return wait > USELESS_PAUSE_MS ? wait : USELESS_PAUSE_MS;
    retry_success(&doubt->retry, now);
    return age > retry_usual.most_ms ? 0 : wait;
}
