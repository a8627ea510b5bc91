#include "vault/lease.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"

#define TEN_YEARS ((int64_t)10 * 365 * 24 * 3600)
#define FLOOR_MS  1000 /* a lease of one second is renewed once a second, not in a loop */

int64_t lease_seconds(const struct val *v, bool *ret_odd)
{
    int64_t seconds = 0;

    if (val_is_nil(v))
        return 0;
    if (val_as_int(v, &seconds) && seconds >= 0 && seconds <= TEN_YEARS)
        return seconds;
    *ret_odd = true;
    return 0;
}

static void set_full(struct lease *lease, int64_t ms)
{
    lease->full_ms = ms;
    lease->grace_ms = (int64_t)((double)ms * digest_jitter(0.10, 0.20));
}

void lease_begin(struct lease *lease, const char *id, int64_t seconds, bool renewable, int64_t asked_at)
{
    *lease = (struct lease){.renewable = renewable, .ttl_ms = seconds * 1000, .since = asked_at};
    /* An id that does not fit cannot be renewed; the secret is then replaced in time like any other that cannot. */
    if (strlen(id) < sizeof(lease->id))
        memcpy(lease->id, id, strlen(id) + 1);
    else
        lease->renewable = false;
    set_full(lease, lease->ttl_ms);
}

enum lease_grant lease_renewed(struct lease *lease, const char *id, int64_t seconds, bool renewable, int64_t asked_at)
{
    int64_t ttl = seconds * 1000;

    if (seconds <= 0 || (id[0] && strcmp(id, lease->id) != 0))
        return LEASE_ANOMALY;
    lease->ttl_ms = ttl;
    lease->since = asked_at;
    lease->renewable = renewable;
    if (ttl > lease->full_ms)
        set_full(lease, ttl);
    /* Whole seconds are cut off on the way: only a tenth less is less. */
    lease->capped = ttl < lease->full_ms / 10 * 9;
    return lease->capped || !renewable ? LEASE_CAPPED : LEASE_GRANTED;
}

int64_t lease_end(const struct lease *lease)
{
    return lease->ttl_ms ? lease->since + lease->ttl_ms : CLOCK_NEVER;
}

int64_t lease_left(const struct lease *lease, int64_t now)
{
    int64_t end = lease_end(lease);

    if (end == CLOCK_NEVER)
        return CLOCK_NEVER;
    return end > now ? end - now : 0;
}

static int64_t not_before_floor(const struct lease *lease, int64_t at)
{
    return at < lease->since + FLOOR_MS ? lease->since + FLOOR_MS : at;
}

int64_t lease_replace_at(const struct lease *lease)
{
    if (!lease->ttl_ms)
        return CLOCK_NEVER;
    /* What follows a capped lease is a full one: no loop to slow down, and the little that is left is needed. */
    return lease->capped ? lease_end(lease) - lease->grace_ms : not_before_floor(lease, lease_end(lease) - lease->grace_ms);
}

enum lease_step lease_next(const struct lease *lease, int64_t *ret_at)
{
    *ret_at = lease_replace_at(lease);
    if (!lease->ttl_ms)
        return LEASE_WAIT_FOR_EVER;
    if (!lease->renewable || lease->capped)
        return LEASE_REPLACE;
    *ret_at = not_before_floor(lease, lease->since + lease->ttl_ms / 3 * 2 + lease->grace_ms / 3);
    return LEASE_RENEW;
}
