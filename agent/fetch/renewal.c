#include "fetch/renewal.h"

#include "base/clock.h"
#include "base/digest.h"

#define LEASE_PART 60
#define LAST_MS    5000 /* before its end a lease is renewed for the last time, or a twentieth of it */

bool renewal_possible(const struct lease *lease, int64_t now)
{
    return lease->renewable && !lease->capped && lease_left(lease, now) > 0;
}

/* Nobody there who could give a replacement either. */
static bool server_is_down(int status)
{
    return status == 0 || status == 429 || status == 501 || status == 502 || status == 503 || status == 504;
}

static bool is_final(enum err_code code, int status)
{
    return status >= 400 && status < 500 && code != ERR_RETRY;
}

int64_t renewal_wait(struct retry *retry, const struct lease *lease, int64_t now, int64_t asked_ms)
{
    int64_t left = lease ? lease_left(lease, now) : CLOCK_NEVER;
    int64_t wait = retry_next(retry, now, &(struct retry_news){.left_ms = left, .asked_ms = asked_ms});

    if (left != CLOCK_NEVER && wait < lease->full_ms / LEASE_PART)
        wait = lease->full_ms / LEASE_PART;
    return retry_unhurried(retry, now, wait);
}

/* Before the replacement a little later than it could come, if need be: a try at that very moment would come besides. After it
 * the last two tries become one, right before the end. */
static int64_t again_at(const struct lease *lease, int64_t now, int64_t replace_at, int64_t wait)
{
    int64_t at = now + wait, end = lease_end(lease);
    int64_t last = end - (lease->full_ms / 20 < LAST_MS ? lease->full_ms / 20 : LAST_MS);

    if (now < replace_at)
        return at < replace_at + lease->grace_ms / 2 ? at : replace_at + lease->grace_ms / 2;
    if (now < last && at + wait > last)
        return last;
    return at < end ? at : end;
}

enum renewal_verdict renewal_failed(struct lease *lease, struct retry *retry, const struct reply *reply, const struct err *err,
                                    int64_t now, int64_t *ret_at)
{
    int64_t replace_at = lease_replace_at(lease);

    if (reply->lease_unknown) {
        lease->renewable = false;
        *ret_at = now + (int64_t)(digest_jitter(0, 0.1) * (double)lease->full_ms);
        return RENEWAL_LOST;
    }
    if (is_final(err->code, reply->status)) {
        lease->renewable = false;
        *ret_at = replace_at > now ? replace_at : now;
        return RENEWAL_REFUSED;
    }
    if (lease_left(lease, now) == 0 || (now >= replace_at && !server_is_down(reply->status)))
        return RENEWAL_OVER;
    *ret_at = again_at(lease, now, replace_at, renewal_wait(retry, lease, now, reply->retry_after_ms));
    return RENEWAL_AGAIN;
}
