#include "flow/renewal.h"

#include "base/clock.h"
#include "base/digest.h"

#define LEASE_PART 60

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

int64_t renewal_wait(struct backoff *backoff, const struct lease *lease, int64_t now, int64_t asked_ms)
{
    int64_t left = lease ? lease_left(lease, now) : CLOCK_NEVER;
    int64_t wait = backoff_next(backoff, now, left, asked_ms);

    if (left != CLOCK_NEVER && wait < lease->full_ms / LEASE_PART)
        wait = lease->full_ms / LEASE_PART;
    return wait;
}

enum renewal_verdict renewal_failed(struct lease *lease, struct backoff *backoff, const struct reply *reply,
                                    const struct err *err, int64_t now, int64_t *ret_at)
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
    *ret_at = now + renewal_wait(backoff, lease, now, reply->retry_after_ms);
    if (now<replace_at && * ret_at> replace_at)
        *ret_at = replace_at;
    if (*ret_at > lease_end(lease))
        *ret_at = lease_end(lease);
    return RENEWAL_AGAIN;
}
